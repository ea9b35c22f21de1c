"""The pages there are, by their name in the address."""

from __future__ import annotations

from dashboards.pages import commissions, risk, volume

BOARDS = {board.name: board for board in (volume.BOARD, risk.BOARD, commissions.BOARD)}
