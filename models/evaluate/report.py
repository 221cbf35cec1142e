"""An evaluation as people read it: sections of sentences, tables and plots, from the content of metrics.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.evaluate.drawings import plots, spoke
from models.evaluate.figures import RATES
from models.evaluate.measure import ENSEMBLE
from models.plots import charts
from models.plots.charts import Plot

Row = Sequence[str]
NONE = "-"
VOTE = "all in one vote"


@dataclass(frozen=True)
class Table:
    head: Row
    rows: Sequence[Row]


@dataclass(frozen=True)
class Section:
    title: str
    sentences: Sequence[str] = ()
    tables: Sequence[Table] = ()
    plots: Mapping[str, Plot] = field(default_factory=dict)


def sections(metrics: Mapping[str, Any]) -> list[Section]:
    drawn = plots(metrics)
    heard = [name for name, of in metrics["overall"].items() if spoke(of)]
    made = [
        Section("What was judged", _judged(metrics), _used(metrics)),
        Section("In short", _short(metrics), [_ranking(metrics["overall"])], _some(drawn, "outcomes", "roc")),
        Section("Each method", _AT_HALF, [_calling(metrics["overall"])], _some(drawn, "reliability", "scores-")),
        Section("At 50 %", _CALLED, (), _some(drawn, "confusion-")),
        Section("By set", (), [_parts("set", metrics["by_set"], heard)]),
    ]
    if metrics["by_method"]:
        made.append(Section("By kind of manipulation", _BY_METHOD, [_parts("method", metrics["by_method"], heard)]))
    if metrics["by_trait"]:
        made.append(Section("False alarms by people's traits", _TRAITS, [_traits(metrics["by_trait"])]))
    if metrics["changes"]:
        made.append(Section("What the web does to a file", _CHANGES, [_changes(metrics["changes"])]))
    return made


_AT_HALF = (
    "Of a method alone, flagged means that its band is high, inconclusive that it is uncertain: no label hangs on one.",
    "ECE and Brier score with both classes weighing the same, as the probability's prior of one half says; accuracy, "
    "precision, recall and F1 where the score is cut at 50 %, with the classes as they are here.",
)
_CALLED = ("No label is given at 50 %: these counts are for comparison with other work.",)
_BY_METHOD = ("The fakes of one kind against all genuine items of the sets they are in.",)
_TRAITS = (
    "Share of genuine people flagged as likely manipulated. The bound is that of the largest rate which so few hits "
    "leave possible (95 %, one-sided); people seen several times count as often.",
)
_CHANGES = (
    "AUC on the items that could be judged before and after, and what the change costs. Lost: could only be judged "
    "before. Each change is done to the pixels that are judged, frame by frame.",
)


def markdown(title: str, made: Sequence[Section], folder: str = "plots") -> str:
    lines = [f"# {title}"]
    for section in made:
        lines += ["", f"## {section.title}", *(f"\n{sentence}" for sentence in section.sentences)]
        for table in section.tables:
            lines += ["", _line(table.head), _line(["---"] * len(table.head)), *map(_line, table.rows)]
        if section.plots:
            lines += ["", " ".join(f"![{plot.title}]({folder}/{name}.png)" for name, plot in section.plots.items())]
    return "\n".join(lines) + "\n"


def shown(made: Sequence[Section]) -> list[dict[str, Any]]:
    """The sections as plain values, their plots drawn: what a page is filled with."""
    return [
        {
            "title": section.title,
            "sentences": section.sentences,
            "tables": section.tables,
            "plots": [
                {"title": plot.title, "svg": charts.svg(plot), "table": Table(*charts.table(plot))}
                for plot in section.plots.values()
            ],
        }
        for section in made
    ]


def _line(cells: Row) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _some(drawn: Mapping[str, Plot], *starts: str) -> dict[str, Plot]:
    return {name: plot for name, plot in drawn.items() if name.startswith(starts)}


def _judged(metrics: Mapping[str, Any]) -> list[str]:
    vote = metrics["overall"][ENSEMBLE]
    said = [
        f"{metrics['items']:,} items: {vote['reals']:,} genuine and {vote['fakes']:,} manipulated could be read, "
        f"{vote['judged_reals']:,} and {vote['judged_fakes']:,} of them judged.",
        f"{metrics['about']}",
    ]
    if metrics["errors"]:
        said.append("Could not be read: " + ", ".join(f"{n:,} {code}" for code, n in metrics["errors"].items()) + ".")
    if not vote["judged_reals"] or not vote["judged_fakes"]:
        said.append("One class is missing: AUC and what follows from it cannot be measured.")
    return said


def _used(metrics: Mapping[str, Any]) -> list[Table]:
    kinds = ("learned from", "chosen by", "calibrated on", "not used")
    rows = [[name, *(f"{used.get(kind, 0):,}" for kind in kinds)] for name, used in metrics["used"].items()]
    return [Table(["items that training", *kinds], rows)] if rows else []


def _short(metrics: Mapping[str, Any]) -> list[str]:
    vote = metrics["overall"][ENSEMBLE]
    alarms, found = vote["flagged_genuine"], vote["flagged_manipulated"]
    said = [
        f"Flagged as likely manipulated: {_count(alarms)} genuine (at most {_percent(alarms['upper'])} with 95 % "
        f"confidence) and {_count(found)} manipulated. Inconclusive: {_percent(vote['inconclusive'])} of all; not "
        f"assessable: {_percent(vote['not_assessable'])}. {_number(vote['seconds'], 2)} s an item."
    ]
    precision = vote["precision_at_1_percent"]
    if precision["low"] is not None:
        said.append(
            f"Where 1 in 100 is manipulated, at least {_percent(precision['low'])} of what is flagged is manipulated "
            "(false alarms at their bound"
            + (f"; {_percent(precision['value'])} at the measured share)." if alarms["count"] else ").")
        )
    twins = metrics["twins"][ENSEMBLE]
    if twins["of"]:
        said.append(
            f"{twins['above']:,} of {twins['of']:,} manipulated items score above the genuine one of their group."
        )
    if vote["judged_reals"] < 1 / RATES[0]:
        said.append(f"With {vote['judged_reals']:,} genuine items, {100 * RATES[0]:g} % of alarms are none at all.")
    return said


def _ranking(overall: Mapping[str, Any]) -> Table:
    head = ["", "AUC", "EER", "found at 0.1 % alarms", "at 1 %", "at 5 %", "genuine flagged", "bound", "s an item"]
    rows = [
        [
            _who(name),
            *(_interval(of[key]) for key in ("auc", "eer", "tpr_at_fpr_0.001", "tpr_at_fpr_0.01", "tpr_at_fpr_0.05")),
            _count(of["flagged_genuine"]),
            _percent(of["flagged_genuine"]["upper"]),
            _number(of["seconds"], 3),
        ]
        for name, of in overall.items()
    ]
    return Table(head, rows)


def _calling(overall: Mapping[str, Any]) -> Table:
    keys = ("ece", "brier", "accuracy", "precision", "recall", "f1")
    shares = ("inconclusive", "not_assessable")
    rows = [
        [_who(name), *(_number(of[key]) for key in keys), *(_percent(of[key]) for key in shares)]
        for name, of in overall.items()
    ]
    return Table(["", "ECE", "Brier", *keys[2:5], "F1", "inconclusive", "not assessable"], rows)


def _parts(what: str, parts: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> Table:
    head = [
        what,
        "genuine / manipulated",
        *(f"AUC, {_who(name)}" for name in names),
        "genuine flagged",
        "bound",
        "found",
    ]
    rows = []
    for part, of in parts.items():
        vote = of[ENSEMBLE]
        rows.append(
            [
                part,
                f"{vote['judged_reals']:,} / {vote['judged_fakes']:,}",
                *(_interval(of[name]["auc"]) for name in names),
                _count(vote["flagged_genuine"]),
                _percent(vote["flagged_genuine"]["upper"]),
                _count(vote["flagged_manipulated"]),
            ]
        )
    return Table(head, rows)


def _traits(traits: Mapping[str, Mapping[str, Any]]) -> Table:
    rows = [
        [trait, value, _count(alarms), _percent(alarms["upper"])]
        for trait, values in traits.items()
        for value, alarms in values.items()
    ]
    return Table(["", "", "flagged", "bound"], rows)


def _changes(changes: Mapping[str, Mapping[str, Any]]) -> Table:
    rows = [
        [
            change,
            _who(name),
            _number(of["before"]),
            _number(of["after"]),
            _interval(of["cost"]),
            _count(of["flagged_genuine"]),
            _percent(of["lost"]),
        ]
        for change, scorers in changes.items()
        for name, of in scorers.items()
    ]
    return Table(["change", "", "AUC before", "after", "cost", "genuine flagged after", "lost"], rows)


def _who(name: str) -> str:
    return VOTE if name == ENSEMBLE else name


def _count(of: Mapping[str, Any] | None) -> str:
    if not of or not of["of"]:
        return NONE
    return f"{of['count']:,} of {of['of']:,} ({_percent(of['share'])})"


def _interval(value: Mapping[str, float] | None) -> str:
    return f"{value['value']:.3f} ({value['low']:.3f}-{value['high']:.3f})" if value else NONE


def _number(value: float | None, digits: int = 3) -> str:
    return NONE if value is None else f"{value:.{digits}f}"


def _percent(value: float | None) -> str:
    return NONE if value is None else f"{100 * value:.1f} %"
