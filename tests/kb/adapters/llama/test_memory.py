from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.adapters.llama.memory import MARGIN_BYTES, ModelShape, Need, choose_context, free_bytes
from kb.adapters.llama.options import KVType
from kb.errors import ModelLoadError

QWEN = ModelShape(layers=28, kv_heads=2, head_size=128, trained_tokens=32_768, vocabulary=151_936)
QWEN_BYTES = 1_117_320_768
KV_TYPES: list[KVType | None] = [None, "f16", "q8_0"]


def need(shape: ModelShape = QWEN, weights_bytes: int = QWEN_BYTES) -> Need:
    return Need(shape, weights_bytes, batch_tokens=128)


def test_a_token_takes_keys_and_values_of_all_layers() -> None:
    assert QWEN.token_bytes("f16") == 28 * 2 * 128 * 2 * 2
    assert QWEN.token_bytes("q8_0") == 28 * 2 * 128 * 2 * 34 // 32


@pytest.mark.parametrize(
    ("free", "chosen"),
    [
        (16e9, (8192, "f16")),
        (1.60e9, (5192, "f16")),
        (1.56e9, (7148, "q8_0")),
        (1.49e9, (2553, "q8_0")),
    ],
)
def test_window_follows_from_free_memory(free: float, chosen: tuple[int, str]) -> None:
    assert choose_context(need(), int(free), None) == chosen


def test_smaller_cache_is_chosen_only_where_it_can_be_and_nothing_else_was_set() -> None:
    scarce = int(1.56e9)
    odd = ModelShape(layers=28, kv_heads=2, head_size=120, trained_tokens=32_768, vocabulary=151_936)
    assert choose_context(need(odd), scarce, None)[1] == "f16"
    assert choose_context(need(), scarce, "f16")[1] == "f16"
    assert choose_context(need(), int(16e9), "q8_0")[1] == "q8_0"


def test_model_trained_with_a_short_window_gets_that() -> None:
    short = ModelShape(layers=1, kv_heads=1, head_size=64, trained_tokens=512, vocabulary=300)
    assert choose_context(need(short, 1000), int(8e9), None) == (512, "f16")


def test_gpu_sets_a_limit_of_its_own() -> None:
    assert choose_context(need(), int(16e9), None, most_tokens=4096) == (4096, "f16")


def test_too_little_memory_says_how_much_is_missing_and_what_to_do() -> None:
    free = int(1.0e9)
    with pytest.raises(
        ModelLoadError, match=r"needs 1\.5 GB .* 1024 tokens, but 1\.0 GB are free: 0\.47 GB are missing"
    ) as at:
        choose_context(need(), free, None)
    assert "smaller model" in at.value.hint
    assert "KB_CONTEXT_TOKENS" in at.value.hint


shapes = st.builds(
    ModelShape,
    layers=st.integers(1, 80),
    kv_heads=st.integers(1, 16),
    head_size=st.sampled_from([64, 80, 128]),
    trained_tokens=st.integers(256, 131_072),
    vocabulary=st.integers(300, 152_000),
)


@given(shape=shapes, weights=st.integers(0, 50 * 10**9), free=st.integers(0, 64 * 10**9), kv=st.sampled_from(KV_TYPES))
def test_whatever_is_chosen_fits_and_more_memory_never_means_less(
    shape: ModelShape, weights: int, free: int, kv: KVType | None
) -> None:
    wanted = need(shape, weights)
    least = min(1024, shape.trained_tokens)
    try:
        tokens, chosen = choose_context(wanted, free, kv)
    except ModelLoadError:
        assert wanted.context_tokens(free, kv or "f16") < least
        return
    assert kv in (None, chosen)
    assert least <= tokens <= min(8192, shape.trained_tokens)
    assert weights + MARGIN_BYTES + tokens * shape.token_bytes(chosen) <= free
    if kv:
        assert choose_context(wanted, free + 10**9, kv)[0] >= tokens


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_without_control_groups_the_machine_decides(tmp_path: Path) -> None:
    assert 0 < free_bytes(tmp_path) <= psutil.virtual_memory().total


def test_control_group_leaves_its_limit_less_what_it_uses_but_for_pages_of_files(tmp_path: Path) -> None:
    write(tmp_path, "proc/self/cgroup", "1:name=systemd:/\n0::/user/kb\n")
    write(tmp_path, "sys/fs/cgroup/user/kb/memory.max", "max\n")
    write(tmp_path, "sys/fs/cgroup/user/memory.max", "20000000\n")
    write(tmp_path, "sys/fs/cgroup/user/memory.current", "16000000\n")
    write(tmp_path, "sys/fs/cgroup/user/memory.stat", "anon 9000000\nactive_file 1000000\ninactive_file 4000000\n")
    assert free_bytes(tmp_path) == 9_000_000


def test_control_group_of_version_1_counts_where_only_its_top_can_be_seen(tmp_path: Path) -> None:
    write(tmp_path, "proc/self/cgroup", "4:cpu,memory:/docker/4f\n3:cpuset:/docker/4f\n")
    memory = "sys/fs/cgroup/memory"
    write(tmp_path, f"{memory}/memory.limit_in_bytes", "20000000\n")
    write(tmp_path, f"{memory}/memory.usage_in_bytes", "16000000\n")
    write(tmp_path, f"{memory}/memory.stat", "inactive_file 7\ntotal_active_file 0\ntotal_inactive_file 3000000\n")
    assert free_bytes(tmp_path) == 7_000_000


def test_control_group_that_is_over_its_limit_leaves_nothing(tmp_path: Path) -> None:
    write(tmp_path, "proc/self/cgroup", "0::/\n")
    write(tmp_path, "sys/fs/cgroup/memory.max", "20\n")
    write(tmp_path, "sys/fs/cgroup/memory.current", "30\n")
    write(tmp_path, "sys/fs/cgroup/memory.stat", "anon 30\n")
    assert free_bytes(tmp_path) == 0
