from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from models import runtime
from models.errors import WeightsError


def doubling() -> bytes:
    """x -> x + x, for any number of rows."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "doubling", [x], [y])
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


@pytest.fixture(autouse=True)
def own_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_sessions", {})


def test_a_model_is_read_and_built_once_however_many_threads_ask_first() -> None:
    reads: list[int] = []
    together = threading.Barrier(8)

    def model() -> bytes:
        reads.append(threading.get_ident())
        return doubling()

    def ask(_: int) -> onnxruntime.InferenceSession:
        together.wait(10)
        return runtime.session_of("doubling", model, 1)

    with ThreadPoolExecutor(8) as pool:
        sessions = list(pool.map(ask, range(8)))
    assert len(reads) == 1
    assert len({id(session) for session in sessions}) == 1


def test_threads_run_one_session_side_by_side() -> None:
    session = runtime.session_of("doubling", doubling, 1)

    def run(n: int) -> bool:
        x = np.full((n, 2), n, np.float32)
        return bool((session.run(["y"], {"x": x})[0] == 2 * n).all())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(run, range(1, 200)))


def test_what_could_not_be_read_is_asked_for_again() -> None:
    def gone() -> bytes:
        raise WeightsError("gone")

    with pytest.raises(WeightsError):
        runtime.session_of("doubling", gone, 1)
    assert runtime.session_of("doubling", doubling, 1)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_session_uses_the_threads_it_is_given(threads: int) -> None:
    session = runtime.session_of("doubling", doubling, threads)
    options = session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (threads, 1)
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert runtime.session_of("doubling", doubling, threads + 1) is not session


def test_sessions_share_one_arena() -> None:
    options = runtime.session_of("doubling", doubling, 1).get_session_options()
    assert options.get_session_config_entry("session.use_env_allocators") == "1"
    assert not options.enable_mem_pattern


@pytest.mark.parametrize(
    ("available", "used"),
    [
        (["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"], ["CUDA", "CPU"]),
        (["CPUExecutionProvider", "CUDAExecutionProvider"], ["CUDA", "CPU"]),
        (["AzureExecutionProvider", "CPUExecutionProvider"], ["CPU"]),
    ],
)
def test_a_gpu_comes_first_where_there_is_one(available: list[str], used: list[str]) -> None:
    assert runtime.providers(available) == [f"{name}ExecutionProvider" for name in used]


def test_a_session_is_built_for_what_is_available(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda model, options, providers: asked.append(providers))
    runtime.session_of("doubling", doubling, 1)
    assert asked == [["CUDAExecutionProvider", "CPUExecutionProvider"]]


def test_weights_are_verified_before_they_are_loaded(tmp_path: Path) -> None:
    path = tmp_path / "doubling.onnx"
    sha256 = hashlib.sha256(doubling()).hexdigest()
    with pytest.raises(WeightsError, match="cannot be read"):
        runtime.session_of_file(path, sha256, 1)
    path.write_bytes(doubling() + b"\0")
    with pytest.raises(WeightsError, match="not the one of its manifest"):
        runtime.session_of_file(path, sha256, 1)
    path.write_bytes(doubling())
    assert runtime.session_of_file(path, sha256, 1)
