from ingest.pipeline.progress import ProgressMeter, WorkProgress


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_run_tells_rates_and_the_time_that_is_left() -> None:
    clock = Clock()
    meter = ProgressMeter(clock)
    assert meter.progress is None
    meter.waits(4, 400)
    clock.now += 2
    meter.chunks_done(30)
    meter.file_done(100)
    meter.waits(3, 300)
    assert meter.progress == WorkProgress(1, 4, 30, 0.5, 15.0, 6.0)


def test_before_the_first_file_is_done_nobody_knows_how_long_it_takes() -> None:
    meter = ProgressMeter(Clock())
    meter.waits(1, 10)
    assert meter.progress
    assert meter.progress.seconds_left is None


def test_after_the_small_files_of_a_folder_with_large_ones_nobody_knows_it_either() -> None:
    clock = Clock()
    meter = ProgressMeter(clock)
    meter.waits(3, 10_100)
    clock.now += 2
    meter.file_done(100)
    meter.waits(2, 10_000)
    assert seconds_left(meter) is None
    clock.now += 18
    meter.file_done(5_000)
    meter.waits(1, 5_000)
    assert round(seconds_left(meter) or 0) == 20


def progress(meter: ProgressMeter) -> WorkProgress | None:
    return meter.progress


def seconds_left(meter: ProgressMeter) -> float | None:
    assert meter.progress
    return meter.progress.seconds_left


def test_files_that_come_during_a_run_belong_to_it_and_those_after_it_to_the_next() -> None:
    meter = ProgressMeter(Clock())
    meter.waits(1, 10)
    meter.waits(3, 30)
    meter.file_done(10)
    meter.waits(2, 20)
    assert meter.progress
    assert (meter.progress.files_done, meter.progress.files_total) == (1, 3)
    meter.waits(0, 0)
    assert progress(meter) is None
    meter.waits(5, 50)
    assert meter.progress
    assert (meter.progress.files_done, meter.progress.files_total) == (0, 5)
