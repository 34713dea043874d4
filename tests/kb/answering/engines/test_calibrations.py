import logging
from dataclasses import replace
from pathlib import Path

import pytest

from kb.answering.engines.calibrations import FOLDER_NAME, Calibrations
from kb.judging.calibration import Calibration
from kb.values.chat import LanguageModelInfo
from tests.fakes import CALIBRATION, FakeLanguageModel

INFO = FakeLanguageModel().info


def test_calibration_is_found_again_by_another_process(tmp_path: Path) -> None:
    assert Calibrations(tmp_path).find(INFO) is None
    Calibrations(tmp_path).keep(CALIBRATION)
    assert Calibrations(tmp_path).find(INFO) == CALIBRATION
    assert [path.suffix for path in (tmp_path / FOLDER_NAME).iterdir()] == [".json"], "nothing else is left"


def test_name_and_place_of_a_model_do_not_matter_its_weights_do(tmp_path: Path) -> None:
    titled = replace(INFO, title="Qwen")
    Calibrations(tmp_path).keep(replace(CALIBRATION, model=titled.identity))
    assert Calibrations(tmp_path).find(replace(titled, name="other.gguf"))
    assert not Calibrations(tmp_path).find(replace(titled, description="8 bit"))


def test_newer_calibration_takes_the_place_of_the_older(tmp_path: Path) -> None:
    calibrations = Calibrations(tmp_path)
    calibrations.keep(CALIBRATION)
    newer = Calibration(CALIBRATION.model, {})
    calibrations.keep(newer)
    assert calibrations.find(INFO) == newer == Calibrations(tmp_path).find(INFO)


def test_damaged_file_costs_the_calibration_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Calibrations(tmp_path).keep(CALIBRATION)
    (file,) = (tmp_path / FOLDER_NAME).iterdir()
    file.write_text("{", "utf-8")
    with caplog.at_level(logging.WARNING):
        assert Calibrations(tmp_path).find(INFO) is None
    assert "passed over" in caplog.text


def test_what_cannot_be_written_is_kept_for_as_long_as_the_process_runs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FOLDER_NAME).write_text("no folder", "utf-8")
    calibrations = Calibrations(tmp_path)
    calibrations.keep(CALIBRATION)
    assert calibrations.find(INFO) == CALIBRATION
    assert "cannot be written" in caplog.text


def test_calibration_of_the_catalog_model_ships(tmp_path: Path) -> None:
    model = LanguageModelInfo("any", "qwen2 1.5B Q4_K - Medium", False, 4096, title="Qwen2.5 Coder 1.5B Instruct GGUF")
    shipped = Calibrations(tmp_path).find(model)
    assert shipped
    assert all(shipped.can_judge(kind) for kind in ("answer", "evidence", "sentence"))
