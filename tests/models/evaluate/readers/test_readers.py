"""Every layout, as its authors lay it out, made of empty files: readers look at names and lists, not at pixels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.errors import DatasetError
from models.evaluate import readers


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_folders_alone_or_a_pair_a_set(tmp_path: Path) -> None:
    one = touch(
        tmp_path / "one", "real/a.jpg", "real/person/b.png", "real/person/c.mp4", "fake/d.webp", "fake/notes.txt"
    )
    found = {sample.name: sample for sample in readers.read(one)}
    assert {name: sample.fake for name, sample in found.items()} == {
        "real/a.jpg": False, "real/person/b.png": False, "real/person/c.mp4": False, "fake/d.webp": True,
    }  # fmt: skip
    assert found["real/person/b.png"].group == found["real/person/c.mp4"].group == "one:person"
    assert found["real/a.jpg"].group == "one:a"
    assert {sample.dataset for sample in found.values()} == {"one"}
    touch(tmp_path, "two/real/a.jpg", "two/fake/b.jpg")
    both = readers.read(tmp_path)
    assert {(sample.dataset, sample.name.split("/")[0]) for sample in both} == {("one", "one"), ("two", "two")}


def test_tables_say_label_group_method_set_and_traits(tmp_path: Path) -> None:
    touch(tmp_path, "set/a.jpg", "b.mp4")
    (tmp_path / "list.csv").write_text(
        "path,label,group,method,set,age,gender,origin\n"
        "set/a.jpg,real,g1,,,34,female,Asian\n"
        "b.mp4,Fake,,swap,own,,,\n"
    )  # fmt: skip
    first, second = readers.read(tmp_path / "list.csv")
    assert (first.path, first.fake, first.group, first.dataset) == (tmp_path / "set/a.jpg", False, "g1", "set")
    assert first.traits == {"age": "18-39", "gender": "female", "origin": "Asian"}
    assert (second.fake, second.group, second.method, second.dataset) == (True, "b.mp4", "swap", "own")


def test_a_folder_is_read_by_its_own_index_or_its_parents(tmp_path: Path) -> None:
    touch(tmp_path, "clips/fake/a.mp4", "other/b.jpg")
    (tmp_path / "index.csv").write_text("path,label,group\nclips/fake/a.mp4,fake,g\nother/b.jpg,real,h\n")
    assert [sample.name for sample in readers.read(tmp_path)] == ["clips/fake/a.mp4", "other/b.jpg"]
    (sample,) = readers.read(tmp_path / "clips")
    assert (sample.name, sample.group, sample.dataset) == ("clips/fake/a.mp4", "g", "clips")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,label\na,real\n", "lacks the columns path"),
        ("path,kind\na,real\n", "lacks the columns label"),
        ("", "lacks the columns label, path"),
        ("path,label\na.jpg,maybe\n", "line 2: the label is 'maybe'"),
        ("path,label\n,real\n", "line 2: the path is empty"),
        ("path,label\n", "lists no picture"),
        ("path,label\n\xff,real\n", "cannot be read as a table"),
    ],
)
def test_a_wrong_table_is_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "list.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(DatasetError, match=words):
        readers.read(tmp_path / "list.csv")


def ffpp(root: Path) -> Path:
    for compression in ("c23", "c40"):
        touch(root, *(f"original_sequences/youtube/{compression}/videos/{n}.mp4" for n in ("000", "003", "071", "054")))
        for method in ("Deepfakes", "Face2Face"):
            folder = f"manipulated_sequences/{method}/{compression}/videos"
            touch(root, *(f"{folder}/{n}.mp4" for n in ("000_003", "003_000", "071_054")))
    (root / "splits").mkdir()
    (root / "splits" / "train.json").write_text(json.dumps([["000", "003"]]))
    (root / "splits" / "test.json").write_text(json.dumps([["071", "054"]]))
    return root


def test_faceforensics_tests_on_its_split_and_prepares_all(tmp_path: Path) -> None:
    found = readers.read(ffpp(tmp_path))
    assert {Path(sample.name).stem for sample in found} == {"071", "054", "071_054"}
    assert {sample.group for sample in found} == {"ff++:054_071"}
    assert {sample.dataset for sample in found} == {"ff++ c23", "ff++ c40"}
    assert {sample.method for sample in found if sample.fake} == {"Deepfakes", "Face2Face"}
    assert sum(not sample.fake for sample in found) == 4
    whole = readers.read(tmp_path, testing=False)
    assert {sample.group for sample in whole} == {"ff++:054_071", "ff++:000_003"}


def test_faceforensics_needs_its_split_files(tmp_path: Path) -> None:
    touch(tmp_path, "original_sequences/youtube/c23/videos/000.mp4")
    with pytest.raises(DatasetError, match=r"lacks test\.json"):
        readers.read(tmp_path)
    (tmp_path / "test.json").write_text("{")
    with pytest.raises(DatasetError, match="no list of pairs"):
        readers.read(tmp_path)


def test_in_celeb_df_one_means_real(tmp_path: Path) -> None:
    touch(
        tmp_path, "Celeb-real/id1_0007.mp4", "YouTube-real/00170.mp4", "Celeb-synthesis/id1_id0_0007.mp4",
        "Celeb-synthesis/id2_id0_0001.mp4",
    )  # fmt: skip
    (tmp_path / "List_of_testing_videos.txt").write_text(
        "1 Celeb-real/id1_0007.mp4\n1 YouTube-real/00170.mp4\n0 Celeb-synthesis/id1_id0_0007.mp4\n"
    )
    own, other, made = readers.read(tmp_path)
    assert [own.fake, other.fake, made.fake] == [False, False, True]
    assert own.group == made.group == "celeb-df:id1"
    assert other.group != own.group
    assert len(readers.read(tmp_path, testing=False)) == 4
    (tmp_path / "List_of_testing_videos.txt").write_text("real a.mp4\n")
    with pytest.raises(DatasetError, match="line 1"):
        readers.read(tmp_path)


def test_dfdc_groups_a_fake_with_its_original(tmp_path: Path) -> None:
    (tmp_path / "dfdc_train_part_0").mkdir()
    (tmp_path / "dfdc_train_part_0" / "metadata.json").write_text(
        json.dumps({
            "aagfhgtpmv.mp4": {"label": "FAKE", "split": "train", "original": "vudstovrck.mp4"},
            "vudstovrck.mp4": {"label": "REAL", "split": "train", "original": None},
        })
    )  # fmt: skip
    made, own = readers.read(tmp_path)
    assert (made.fake, own.fake) == (True, False)
    assert made.group == own.group == "dfdc:vudstovrck"
    assert made.dataset == "dfdc_train"
    assert made.path == tmp_path / "dfdc_train_part_0" / "aagfhgtpmv.mp4"


def test_the_test_part_of_dfdc_and_a_broken_one(tmp_path: Path) -> None:
    (tmp_path / "metadata.json").write_text(json.dumps({"a.mp4": {"is_fake": 1}, "b.mp4": {"is_fake": 0}}))
    assert [(sample.fake, sample.dataset) for sample in readers.read(tmp_path)] == [
        (True, "dfdc_test"),
        (False, "dfdc_test"),
    ]
    (tmp_path / "metadata.json").write_text(json.dumps({"a.mp4": {}}))
    with pytest.raises(DatasetError, match="neither label"):
        readers.read(tmp_path)


@pytest.mark.parametrize("listing", ["[", "[1]", '{"a.mp4": "FAKE"}', '{"/etc/a.mp4": {"is_fake": 1}}', '{"../a": {}}'])
def test_a_listing_of_dfdc_that_is_none_is_refused(tmp_path: Path, listing: str) -> None:
    (tmp_path / "metadata.json").write_text(listing)
    with pytest.raises(DatasetError, match="is not understood"):
        readers.read(tmp_path)


def test_what_is_no_layout_is_told_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="There is no file or folder"):
        readers.read(tmp_path / "none")
    with pytest.raises(DatasetError, match=r"FaceForensics.*Celeb-DF.*DFDC.*CSV.*real/ and fake/"):
        readers.read(tmp_path)
    (tmp_path / "real").mkdir()
    with pytest.raises(DatasetError, match="lists no picture"):
        readers.read(tmp_path)
