"""Which models answer, look and judge: loaded, calibrated, and chosen for each question."""
