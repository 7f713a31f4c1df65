"""The API answers as its description says, whatever is asked: schemathesis derives the questions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from test_status import NOW, article, save

from kiosque.model import Rights
from storage import open_storage

pytest.importorskip("fastapi", reason="the dashboard needs kiosque[dashboard]")
schemathesis = pytest.importorskip("schemathesis", reason="the API is checked with schemathesis")

from kiosque.dashboard import make_app  # noqa: E402 - only where FastAPI is
from kiosque.dashboard.guard import LONGEST_QUERY  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """The description of an API over a small store, with the application that answers."""
    store = open_storage(f"sqlite:///{tmp_path_factory.mktemp('schema') / 'k.sqlite'}")
    for n in range(1, 8):
        save(store, article(n, fetched_at=NOW - timedelta(days=n)))
    save(store, article(3, revision=2, lead="Un chapô.", published=None, published_precision=None))
    save(store, replace(article(8), rights=Rights(tdm_reserved=True, said=(("tdmrep.json", "reserved"),))))
    store.forget(urls=[article(7).url], at=NOW)
    yield schemathesis.openapi.from_asgi("/api/v1/openapi.json", at_home(make_app(store, {})))
    store.close()


def at_home(app):
    """Hosts other than this machine's names are refused before the API is asked."""

    async def answer(scope, receive, send):
        if "headers" in scope:
            others = [(name, value) for name, value in scope["headers"] if name != b"host"]
            scope = {**scope, "headers": [*others, (b"host", b"localhost")]}
        await app(scope, receive, send)

    return answer


PATHS = ("/records", "/records/{id}", "/records/{id}/revisions", "/changes", "/outlets")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
def test_the_api_does_as_its_description_says(api, path, mode):
    operation = api[f"/api/v1{path}"]["GET"]

    @given(operation.as_strategy(generation_mode=mode))
    @settings(max_examples=30, suppress_health_check=list(HealthCheck))
    def check(case):
        answer = case.call()
        if answer.status_code == 414:  # the guard's own: no check of parameters comes before it
            assert len(answer.request.url) > LONGEST_QUERY
        else:
            case.validate_response(answer)

    check()


def test_every_operation_is_checked(api):
    assert {one.ok().path for one in api.get_all_operations()} == {f"/api/v1{path}" for path in PATHS}
