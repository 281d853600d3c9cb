"""The route table's part for what the classifier learns from, and for classifiers."""

from typing import Final

from monitor.adapters.web.handling import Route
from monitor.adapters.web.labels import LABEL_PARAMS, WITHDRAW_PARAMS, list_labels, post_labels, withdraw_label
from monitor.adapters.web.models import (
    MODEL_PARAMS,
    MODELS_PARAMS,
    RETRAIN_PARAMS,
    ROLLBACK_PARAMS,
    get_card,
    get_training,
    list_models,
    promote_model,
    retrain,
    roll_back,
    shadow_model,
)
from monitor.domain.labels import Label
from monitor.services.labelling import LabelReceipt
from monitor.services.learning import Training
from monitor.services.lifecycle import ModelList, ModelState
from monitor.services.records import LabelPage

_API: Final = "/api/v1"

LEARNING: Final[tuple[Route, ...]] = (
    Route(
        method="POST", path=f"{_API}/labels", name="sendLabels", scope="label", handler=post_labels,
        summary="Send labels as NDJSON or a JSON array; answered once all that is accepted is on disk.",
        answer=LabelReceipt, item=Label, errors=(400, 408, 413, 415, 429, 503),
    ),
    Route(
        method="GET", path=f"{_API}/labels", name="listLabels", scope="read", handler=list_labels,
        summary="List labels, newest first, page by page. Contact data is masked.",
        params=LABEL_PARAMS, answer=LabelPage, errors=(400, 429, 503), timed=True,
    ),
    Route(
        method="DELETE", path=f"{_API}/labels/{{id}}", name="withdrawLabel", scope="label", handler=withdraw_label,
        summary="Take a label back: it stays with who did it and why, and teaches nothing any more.",
        params=WITHDRAW_PARAMS, answer=Label, errors=(400, 404, 503),
    ),
    Route(
        method="GET", path=f"{_API}/models", name="listModels", scope="admin", handler=list_models,
        summary="The classifiers that are kept, and which of them serves.", params=MODELS_PARAMS,
        answer=ModelList, errors=(400, 503),
    ),
    Route(
        method="GET", path=f"{_API}/models/{{name}}/{{version}}/card", name="getModelCard", scope="admin",
        handler=get_card, summary="The card of a classifier: what it is, how good, and what it cannot do.",
        media="text/markdown", errors=(404, 503),
    ),
    Route(
        method="POST", path=f"{_API}/models/{{name}}/{{version}}/shadow", name="shadowModel", scope="admin",
        handler=shadow_model, summary="Let a classifier score a sample beside the serving one.",
        params=MODEL_PARAMS, answer=ModelState, errors=(400, 404, 503),
    ),
    Route(
        method="POST", path=f"{_API}/models/{{name}}/{{version}}/promote", name="promoteModel", scope="admin",
        handler=promote_model, summary="Let a classifier serve from here on.",
        params=MODEL_PARAMS, answer=ModelState, errors=(400, 404, 503),
    ),
    Route(
        method="POST", path=f"{_API}/models/rollback", name="rollBackModel", scope="admin", handler=roll_back,
        summary="Let the classifier serve that did before.",
        params=ROLLBACK_PARAMS, answer=ModelState, errors=(400, 503),
    ),
    Route(
        method="POST", path=f"{_API}/models/retrain", name="retrainModel", scope="admin", handler=retrain,
        summary="Learn a candidate from a tenant's labels, beside the service; one of a tenant at a time.",
        params=RETRAIN_PARAMS, answer=Training, status=202, errors=(400, 409, 503),
    ),
    Route(
        method="GET", path=f"{_API}/models/retrain", name="getTraining", scope="admin", handler=get_training,
        summary="How the latest training for a tenant goes, or what came of it.",
        params=RETRAIN_PARAMS, answer=Training, errors=(400, 404, 503),
    ),
)
