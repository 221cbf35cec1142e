from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import DatasetError
from models.training import listing


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_pictures_and_clips_of_one_folder_are_told_apart(tmp_path: Path) -> None:
    names = ("real/ada/1.jpg", "fake/ada/2.jpg", "real/000.mp4", "fake/000.mp4", "real/notes.txt")
    touch(*(tmp_path / "mine" / name for name in names))
    pictures, clips = listing.pictures(tmp_path / "mine"), listing.clips(tmp_path / "mine")
    assert pictures.root == clips.root == tmp_path / "mine"
    assert sorted(item.path for item in pictures.items) == ["fake/ada/2.jpg", "real/ada/1.jpg"]
    assert {item.group for item in pictures.items} == {"mine:ada"}, "a person is on one side of a split"
    assert {item.label for item in clips.items} == {"real", "fake"}
    assert {item.group for item in clips.items} == {"mine:000"}


def test_known_sets_alone_where_there_are_some(tmp_path: Path) -> None:
    rows = [f"{s}/{label}.png,{label},{s}{label},," for s in ("a", "b") for label in ("real", "fake")]
    (tmp_path / "index.csv").write_text("\n".join(["path,label,group,method,source_width", *rows]))
    assert {item.dataset for item in listing.pictures(tmp_path / "index.csv", known={"a"}).items} == {"a"}
    assert {item.dataset for item in listing.pictures(tmp_path, known={"z"}).items} == {"a", "b"}
    assert listing.pictures(tmp_path).root == tmp_path


def test_a_limit_is_of_each_label(tmp_path: Path) -> None:
    touch(*(tmp_path / label / f"{i}.png" for label in ("real", "fake") for i in range(9)))
    some = listing.pictures(tmp_path, 3)
    assert [sum(item.fake == fake for item in some.items) for fake in (False, True)] == [3, 3]
    assert some == listing.pictures(tmp_path, 3)


def test_one_label_alone_is_refused(tmp_path: Path) -> None:
    touch(tmp_path / "fake" / "a.png", tmp_path / "real" / "a.mp4")
    with pytest.raises(DatasetError, match="pictures of both labels; none is labelled real"):
        listing.pictures(tmp_path)
    with pytest.raises(DatasetError, match="videos of both labels; none is labelled fake"):
        listing.clips(tmp_path)
