"""An address as a whole: what must happen everywhere at once when it moves or asks to be forgotten."""

from __future__ import annotations

from sqlalchemy import Column, ColumnElement, Connection, Table, and_, delete, exists, or_, update

from bot.store.schema import LIVE, chats, held, outbox, silent, subscriptions, told


def migrate(conn: Connection, old: str, new: str) -> None:
    """An address moved: all that is its own follows. Message ids of the old chat mean nothing in the new one."""
    moved = {"target": new, "channel": new.partition(":")[0]}
    conn.execute(update(outbox).where(LIVE, outbox.c.target == old).values(moved))
    conn.execute(update(subscriptions).where(subscriptions.c.target == old).values(target=new))
    conn.execute(update(told).where(told.c.target == old).values(message_id=None))
    for table in (told, held, chats):
        _move_rows(conn, table, old, new)


def forget(conn: Connection, target: str) -> None:
    """Delete everything kept of a chat and of its topics (``telegram:-1001`` and ``telegram:-1001/77``)."""
    for table in (subscriptions, chats, told, held, silent, outbox):
        conn.execute(delete(table).where(_of_chat(table.c.target, target)))


def _of_chat(column: Column[str], target: str) -> ColumnElement[bool]:
    return or_(column == target, column.startswith(f"{target}/", autoescape=True))


def _move_rows(conn: Connection, table: Table, old: str, new: str) -> None:
    """Where both addresses have a row of one kind, the new address's own stays."""
    taken = table.alias()
    others = [taken.c[key.name] == table.c[key.name] for key in table.primary_key if key.name != "target"]
    free = ~exists().where(and_(taken.c.target == new, *others))
    conn.execute(update(table).where(table.c.target == old, free).values(target=new))
    conn.execute(delete(table).where(table.c.target == old))
