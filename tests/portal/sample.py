"""A small desk over a table of its own, for the promises every desk keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import ClassVar

from flask import flash
from flask_appbuilder.models.sqla.interface import SQLAInterface
from sqlalchemy import BigInteger, DateTime, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from core.actor import Right, Scope
from core.db import transaction
from core.errors import WrongState
from portal.columns import Column, Preset, Sum
from portal.desk import Desk, deed
from portal.filters import Amount, Choice, Period
from portal.filters import Text as Begins

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class SampleBase(DeclarativeBase):
    """Keeps the sample out of the product's metadata."""


class Parcel(SampleBase):
    """One row: like an order, but nobody's business."""

    __tablename__ = "sample_parcel"

    ref: Mapped[str] = mapped_column(Text, primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    fiat_units: Mapped[int] = mapped_column(BigInteger)
    usdt_units: Mapped[int] = mapped_column(BigInteger)
    payer: Mapped[str] = mapped_column(Text)
    account: Mapped[str] = mapped_column(Text)
    merchant_id: Mapped[int] = mapped_column(BigInteger)
    acceptor_id: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    deadline_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ParcelDesk(Desk):
    """A desk with everything a desk can have."""

    route_base = "/parcels"
    datamodel = SQLAInterface(Parcel)
    right = Right.SEE_ORDERS
    title = "Parcels"
    columns: ClassVar = (
        Column("ref", "Parcel", "ref", narrow="ref", href="/parcels/show/{}"),
        Column("state", "State", "badge", narrow="state"),
        Column(
            "fiat_units",
            "Amount",
            "money",
            asset="currency",
            narrow="amount",
            under=Column("usdt_units", "USDT", "money", asset="USDT"),
        ),
        Column(
            "payer",
            "Payer",
            "person",
            personal=True,
            under=Column("account", "Account", "account", personal=True),
        ),
        Column("deadline_at", "Time left", "left"),
        Column("created_at", "Created", "ago"),
    )
    filters: ClassVar = (
        Choice(
            "state",
            "State",
            (("awaiting_payment", "Awaiting"), ("paid_claimed", "Claimed"), ("completed", "Done")),
        ),
        Choice("currency", "Currency", (("BRL", "BRL"), ("VND", "VND"))),
        Amount("fiat_units", "Amount", "currency"),
        Period("created_at", "Created"),
        Begins("payer", "Payer"),
    )
    presets: ClassVar = (Preset("Waiting", {"state": "awaiting_payment"}),)
    find: ClassVar = ("ref",)
    sorts: ClassVar = ("created_at", "deadline_at", "usdt_units", "ref")
    sums: ClassVar = (Sum("fiat_units", "currency", "Amount"), Sum("usdt_units", "USDT", "USDT"))
    owner: ClassVar = {Scope.MERCHANT: "merchant_id", Scope.ACCEPTOR: "acceptor_id"}

    @deed("open_it", "Open", Right.CONFIRM_RECEIPT, confirm="Open it?", look="pri", many=True)
    def open_it(self, rows) -> None:
        """Complete parcels that are claimed; refuse others."""
        for row in rows:
            if row.state != "paid_claimed":
                raise WrongState(f"{row.ref} is {row.state}")
        with transaction() as tx:
            tx.run(
                "update sample_parcel set state = 'completed' where ref = any(%s)",
                ([row.ref for row in rows],),
            )
        flash("opened", "ok")


def make_parcels(merchant: int, acceptor: int, many: int = 120) -> None:
    """Create the table and fill it: every third is the merchant's and the acceptor's."""
    states = ("awaiting_payment", "paid_claimed", "completed")
    names = ("Joao Santos", "Li Wei", '=HYPERLINK("http://x")', "Trần Thị Hoa", "<script>alert(1)</script>")
    with transaction() as tx:
        SampleBase.metadata.create_all(tx.connection)
        for n in range(many):
            mine = n % 3 == 0
            tx.run(
                "insert into sample_parcel values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    f"par_{n:06d}",
                    states[n % 4 % 3],
                    "BRL" if n % 2 else "VND",
                    485_000 + n,
                    862_989_325 + n,
                    names[n % len(names)],
                    f"62220000000{n:04d}",
                    merchant if mine else 900_001,
                    acceptor if mine else 900_002,
                    NOON - timedelta(minutes=n),
                    None if n % 5 == 0 else NOON + timedelta(minutes=n),
                ),
            )
