"""How many queries something takes, and that more rows take no more of them."""

from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext


def queries_of(do: Callable[[], object]) -> int:
    """The number of queries that `do()` takes."""
    with CaptureQueriesContext(connection) as captured:
        do()
    return len(captured)


def queries_for_few_and_many(do: Callable[[], object], make: Callable[[range], object]) -> int:
    """
    The number of queries that `do()` takes with the three rows that `make(range(3))` makes. Fails unless it is the same
    with the seventeen more of `make(range(3, 20))`.
    """
    make(range(3))
    do()  # what a process looks up once is known from here on
    few = queries_of(do)
    make(range(3, 20))
    many = queries_of(do)
    assert many == few, f"{few} queries for few rows, {many} for many"
    return few


def page(client, address: str, **headers: str):
    """Open a page or call an API; its answer, which is 200."""
    response = client.get(address, headers=headers)
    assert response.status_code == 200, response.content
    return response


def graphql(client, query: str) -> dict:
    """Ask in GraphQL; the data of the answer, which tells of no error."""
    response = client.post("/graphql/", {"query": query}, content_type="application/json")
    assert response.status_code == 200, response.content
    answer = response.json()
    assert "errors" not in answer, answer
    return answer["data"]
