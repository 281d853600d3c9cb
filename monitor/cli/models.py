"""redpost train · evaluate · model card"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from monitor.cli.options import Config, Data

if TYPE_CHECKING:
    from monitor.adapters.ml.labelled import Columns

Lines = Annotated[list[Path], Parameter(name="FILE", help="Labelled lines: JSON Lines, CSV or TSV.")]
TextColumn = Annotated[str, Parameter(name="--text", show_default=True, help="Column of the text.")]
LabelColumn = Annotated[str, Parameter(
    name="--labels", show_default=True, help="Column of the labels: a list, or names joined by | , or ;. "
                       "Or columns joined by commas, each a label, with 0 or 1 in the cells.")]
BriefColumn = Annotated[str, Parameter(
    name="--brief", show_default=True, help="Column that says whose lines belong together, such as author or day.")]
Folder = Annotated[Path | None, Parameter(name="--model", help="Folder of a model. Default: the bundled one.")]


def train(
    files: Lines,
    /,
    *,
    to: Annotated[Path, Parameter(help="Folder to make: NAME/VERSION.")],
    hold_out: Annotated[list[str], Parameter(
        help="Briefs that are not trained on: the test. Default: about a fifth of them.", consume_multiple=True)] = [],  # noqa: B006
    cases: Annotated[Path | None, Parameter(
        help="Folder of rule packs whose cases are learnt, too, so that it knows what rules look for.")] = None,
    text: TextColumn = "text",
    labels: LabelColumn = "labels",
    brief: BriefColumn = "brief",
    any_labels: Annotated[bool, Parameter(help="Learn whatever labels there are, not those of the taxonomy.")] = False,
    verticals: Annotated[list[str], Parameter(
        help="Verticals of the lines, as the rooms file names them, that are told apart.", consume_multiple=True)] = [],  # noqa: B006
    kind: Annotated[str, Parameter(show_default=True, help="svm, nb-svm or lr.")] = "svm",
    seed: Annotated[int, Parameter(show_default=True, help="The same seed and lines give the same model.")] = 20261127,
    compare: Annotated[bool, Parameter(
        help="Train other kinds as well, and on words, and show how good they are.")] = False,
) -> int:
    """Train a classifier from labelled lines and keep it in a folder, with its manifest and card.

    Lines of one brief (an author, a day, a room) are never on both sides of a split. Needs scikit-learn:
    pip install 'redpost[train]'.

    ```
    redpost train models/corpus/*.jsonl --cases rules --hold-out q s i --to models/default/1
    redpost train comments.csv --text TEXT --labels label --any-labels --to mine/1
    ```

    Exit codes: 0 done, 2 the lines cannot be learnt from.
    """
    from monitor.cli.training import Training

    return Training(columns(text, labels, brief), any_labels=any_labels, kind=kind, seed=seed, verticals=verticals).run(
        files, to, hold_out, cases=cases, compare=compare)


def evaluate(
    files: Lines,
    /,
    *,
    model: Folder = None,
    rules: Annotated[Path | None, Parameter(help="Folder of rule packs. Default: the bundled ones.")] = None,
    only: Annotated[list[str], Parameter(help="Briefs to look at. Default: all.", consume_multiple=True)] = [],  # noqa: B006
    text: TextColumn = "text",
    labels: LabelColumn = "labels",
    brief: BriefColumn = "brief",
) -> int:
    """Measure a classifier on labelled lines, alone and together with the rules.

    ```
    redpost evaluate models/corpus/*.jsonl --only q s i
    redpost evaluate mine.csv --model mine/1
    ```

    Exit codes: 0 done, 2 a file or the model cannot be read.
    """
    from monitor.cli.training import evaluated

    return evaluated(files, model, rules, only, columns(text, labels, brief))


def card(
    model: Annotated[str, Parameter(
        name="MODEL", help="NAME/VERSION of the data folder, or a folder. Default: the bundled one.")] = "",
    /,
    *,
    data: Data = None,
    config: Config = None,
) -> int:
    """Show the card of a model: what it is, how good, and what it cannot do.

    ```
    redpost model card
    redpost model card local/2
    ```
    """
    from monitor.adapters.bundled import model_folder
    from monitor.adapters.ml.folder import CARD, load_model
    from monitor.cli.lifecycle import shelf

    folder = Path(model) if model else model_folder("") or Path()
    kept = shelf(data, config)
    if model in kept.ids():
        print(kept.card(model))
    else:
        load_model(folder)
        print((folder / CARD).read_text(encoding="utf-8"))
    return 0


def columns(text: str, labels: str, brief: str) -> "Columns":
    from monitor.adapters.ml.labelled import Columns

    return Columns(text=text, labels=labels, brief=brief)
