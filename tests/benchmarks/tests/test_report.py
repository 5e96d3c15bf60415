from tests.benchmarks.lab import Figure, at_least, at_most
from tests.benchmarks.report import table, together


def test_value_equal_to_the_target_meets_it() -> None:
    assert at_most("P1", "queries", 2, 2).met
    assert not at_most("P1", "queries", 2.01, 2).met
    assert at_least("P5", "rate", 150, 150).met
    assert not at_least("P5", "rate", 149.9, 150).met


def test_table_has_one_sorted_row_per_figure() -> None:
    lines = table(
        [at_least("P5", "rate", 99, 150, "/s"), Figure("P1", "cost", "", "2 ms")]
    ).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["P1", "P5"]
    assert "≥ 150/s" in lines[3]
    assert "**missed**" in lines[3]
    assert len({len(line) for line in lines}) == 1


def test_median_of_several_runs_counts() -> None:
    runs = [
        [at_least("P5", "rate", n, 150), Figure("P5", "cost", "", f"{n} ms")]
        for n in (160, 140, 155)
    ]
    rate, cost = together(runs)
    assert rate.seen == "**155**; 140, 160"
    assert rate.met
    assert cost.seen == "160 ms · 140 ms · 155 ms"


def test_worst_run_counts_for_failures() -> None:
    [failures] = together([[at_most("P4", "failures", n, 0)] for n in (0, 12, 0)])
    assert failures.seen.startswith("**12**")
    assert not failures.met
