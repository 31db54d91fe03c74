"""SQL about nodes by their numbers (``storage.numbered_tables``)."""

from collections.abc import Sequence

import duckdb


def quote(text: str) -> str:
    """The text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def quote_all(texts: Sequence[str]) -> str:
    """The texts as a list of literals of SQL."""
    return f"({', '.join(map(quote, texts))})"


def find_numbers(connection: duckdb.DuckDBPyConnection, nodes: Sequence[str]) -> list[int]:
    """The numbers of nodes, all of which exist."""
    found = dict(
        connection.execute(f"select node_id, node from numbered.nodes where node_id in {quote_all(nodes)}").fetchall()
    )
    return [found[node] for node in nodes]


def number_of(node: str) -> str:
    """SQL: the number of a node; null if it is unknown."""
    return f"(select node from numbered.nodes where node_id = {quote(node)})"


def numbers_of(nodes: Sequence[str]) -> str:
    """SQL: the numbers of nodes, to be used after ``in``."""
    return f"(select node from numbered.nodes where node_id in {quote_all(nodes)})"


def select_named(query: str, *columns: str) -> str:
    """The query with the ids of nodes, in columns such as from_node_id, instead of the numbers in its columns.

    Its first columns are the ids. Numbers that are null are ids that are null.
    """
    names = ", ".join(f"named_{column}.node_id as {column}_id" for column in columns)
    joins = " ".join(
        f"left join numbered.nodes as named_{column} on named_{column}.node = numbers.{column}" for column in columns
    )
    return f"select {names}, numbers.* exclude ({', '.join(columns)}) from ({query}) as numbers {joins}"
