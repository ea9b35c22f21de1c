"""The same deposit as one would first write it with an ORM: rows as objects, balances updated in place."""

from __future__ import annotations

import itertools
import random
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa
from psycopg.errors import DeadlockDetected
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from core.db import driver_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.crew import Work

T = TypeVar("T")

GROSS, FEE, SHARE = 44_483_985, 266_903, 44_484


class Base(DeclarativeBase):
    """The naive tables."""


class Account(Base):
    """One balance a row: reserves, escrow, merchant, fees, agents."""

    __tablename__ = "nv_account"
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    kind: Mapped[str] = mapped_column(index=True)
    balance: Mapped[int] = mapped_column(sa.BigInteger)


class Customer(Base):
    """Who pays."""

    __tablename__ = "nv_customer"
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    external: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]


class Order(Base):
    """One deposit."""

    __tablename__ = "nv_order"
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    external: Mapped[str] = mapped_column(unique=True)
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("nv_customer.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("nv_account.id"), index=True)
    state: Mapped[str]
    payer: Mapped[str] = mapped_column(index=True)
    units: Mapped[int] = mapped_column(sa.BigInteger)
    created_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True), index=True)
    deadline_at: Mapped[datetime | None] = mapped_column(sa.DateTime(timezone=True), index=True)


class Leg(Base):
    """One line of the journal."""

    __tablename__ = "nv_leg"
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("nv_order.id"), index=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("nv_account.id"), index=True)
    units: Mapped[int] = mapped_column(sa.BigInteger)


class Note(Base):
    """Audit, outbox, evaluations and commission lines, told apart by kind."""

    __tablename__ = "nv_note"
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    kind: Mapped[str]
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("nv_order.id"), index=True)
    body: Mapped[dict[str, object]] = mapped_column(sa.JSON)


def build(url: str) -> None:
    """Make the tables, 200 funded acceptors and the four other accounts."""
    engine = sa.create_engine(driver_url(url))
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(Account(id=number, kind="reserve", balance=10**12) for number in range(1, 201))
        session.add_all(
            Account(id=number, kind=kind, balance=0)
            for number, kind in ((1001, "escrow"), (1002, "merchant"), (1003, "fees"), (1004, "below"), (1005, "top"))
        )
        session.commit()
    engine.dispose()


def _counts(session: Session, customer: Customer, payer: str) -> None:
    """Ask what the gates ask, one question at a time."""
    now = datetime.now(UTC)
    mine = sa.select(sa.func.count()).select_from(Order).where(Order.customer_id == customer.id)
    for span in (timedelta(minutes=10), timedelta(hours=1), timedelta(days=1), timedelta(days=30)):
        session.scalar(mine.where(Order.created_at > now - span))
    session.scalar(sa.select(sa.func.sum(Order.units)).where(Order.customer_id == customer.id))
    session.scalar(mine.where(Order.state == "expired"))
    session.scalar(sa.select(sa.func.count(sa.distinct(Order.customer_id))).where(Order.payer == payer))


def _move(session: Session, order: Order, moves: list[tuple[int, int]]) -> None:
    for number, units in moves:
        account = session.get_one(Account, number, with_for_update=True)
        account.balance += units
        session.add(Leg(order_id=order.id, account_id=number, units=units))


def _note(session: Session, order: Order, *kinds: str) -> None:
    session.add_all(Note(kind=kind, order_id=order.id, body={"state": order.state}) for kind in kinds)


def _open(engine: sa.Engine, external: str, name: str, draw: random.Random) -> int:
    with Session(engine) as session:
        customer = session.scalar(sa.select(Customer).where(Customer.external == name))
        if customer is None:
            customer = Customer(external=name, name="Joao Santos")
            session.add(customer)
            session.flush()
        _counts(session, customer, name)
        now = datetime.now(UTC)
        order = Order(
            external=external, customer_id=customer.id, state="created", payer=name, units=GROSS,
            created_at=now, deadline_at=now + timedelta(minutes=15),
        )  # fmt: skip
        session.add(order)
        session.flush()
        _note(session, order, "audit", "outbox", "evaluation")
        able = session.scalars(sa.select(Account).where(Account.kind == "reserve", Account.balance >= GROSS)).all()
        order.account_id = draw.choice(able).id
        _move(session, order, [(order.account_id, -GROSS), (1001, GROSS)])
        order.state = "awaiting_payment"
        _note(session, order, "audit", "outbox", "dispatch", "fact")
        session.commit()
        return order.id


def _claim(engine: sa.Engine, number: int) -> None:
    with Session(engine) as session:
        order = session.get_one(Order, number, with_for_update=True)
        order.state = "paid_claimed"
        order.deadline_at = datetime.now(UTC) + timedelta(minutes=15)
        _note(session, order, "audit", "outbox", "fact")
        session.commit()


def _confirm(engine: sa.Engine, number: int, payer: str) -> None:
    with Session(engine) as session:
        order = session.get_one(Order, number, with_for_update=True)
        _counts(session, session.get_one(Customer, order.customer_id), payer)
        kept = FEE - 2 * SHARE
        _move(session, order, [(1001, -GROSS), (1002, GROSS - FEE), (1003, kept), (1004, SHARE), (1005, SHARE)])
        order.state = "completed"
        order.deadline_at = None
        _note(session, order, "audit", "outbox", "fact", "evaluation", "commission", "commission")
        session.commit()


def _again(step: Callable[..., T], *args: object) -> T:
    """Do a step anew when the database has broken a deadlock on its foreign keys, as such programs do."""
    while True:
        try:
            return step(*args)
        except sa.exc.OperationalError as error:
            if not isinstance(error.orig, DeadlockDetected):
                raise


def work(url: str, number: int) -> Work:
    """Prepare whole deposits in three transactions of the ORM's unit of work."""
    engine = sa.create_engine(driver_url(url), pool_size=1)
    draw = random.Random(number)
    name, count = f"{number}-{time.time_ns()}", itertools.count()

    def one() -> tuple[float, float, float]:
        at = next(count)
        customer = f"{name}-{at // 4}"
        begun = time.perf_counter()
        order = _again(_open, engine, f"{name}-{at}", customer, draw)
        opened = time.perf_counter()
        _again(_claim, engine, order)
        claimed = time.perf_counter()
        _again(_confirm, engine, order, customer)
        return opened - begun, claimed - opened, time.perf_counter() - claimed

    return one
