"""Names of people and firms as their countries write them, for the seeded market; all are made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random

FIRST: Final = {
    "BR": "Ana Bruno Camila Davi Eduarda Felipe Gabriela Heitor Isabela João Larissa Marcos Natália Otávio Paula "
    "Rafael Sofia Thiago Vitória Wagner",
    "CN": "Wei Fang Min Jing Lei Yan Tao Juan Qiang Xia Jun Ling Hao Mei Bo Rui Chen Yu Kai Ning",
    "VN": "An Bình Chi Dũng Giang Hà Hùng Khánh Lan Linh Minh Nam Ngọc Phúc Quân Sơn Thảo Trang Tuấn Vy",
    "DE": "Anna Ben Clara David Elif Felix Greta Hannes Ida Jonas Katrin Lukas Marie Niklas Olga Paul Renate Stefan "
    "Tobias Yusuf",
    "US": "Aaron Brooke Carlos Dana Ethan Fiona Grace Hector Irene James Kayla Liam Maya Noah Olivia Priya Quinn Rosa "
    "Sean Tara",
}
LAST: Final = {
    "BR": "Almeida Barbosa Cardoso Duarte Esteves Ferreira Gomes Lima Machado Nogueira Oliveira Pereira Queiroz Ramos "
    "Santos Teixeira Uchoa Vieira Xavier Zanetti",
    "CN": "Wang Li Zhang Liu Chen Yang Huang Zhao Wu Zhou Xu Sun Ma Zhu Hu Guo He Lin Luo Gao",
    "VN": "Nguyễn Trần Lê Phạm Hoàng Phan Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý",
    "DE": "Müller Schmidt Schneider Fischer Weber Wagner Becker Hoffmann Schäfer Koch Richter Klein Wolf Neumann "
    "Yıldız Zimmermann Krüger Hartmann Lange Vogel",
    "US": "Adams Brown Carter Diaz Evans Foster Garcia Hughes Ingram Johnson Kim Lopez Miller Nelson Ortiz Parker "
    "Reed Smith Turner Walker",
}
FAMILY_FIRST: Final = frozenset({"CN", "VN"})

MERCHANTS: Final = (
    ("aurora-games", "Aurora Games", "BR"),
    ("bluepeak-travel", "Bluepeak Travel", "DE"),
    ("cobalt-stream", "Cobalt Stream", "US"),
    ("delta-market", "Delta Market", "BR"),
    ("ember-tickets", "Ember Tickets", "DE"),
    ("ferry-learning", "Ferry Learning", "US"),
    ("granite-esports", "Granite Esports", "CN"),
    ("harbor-freight", "Harbor Freight Desk", "VN"),
    ("indigo-music", "Indigo Music", "CN"),
    ("juniper-social", "Juniper Social", "VN"),
    ("kestrel-cloud", "Kestrel Cloud", "US"),
    ("lagoon-hotels", "Lagoon Hotels", "BR"),
)
"""Code, name and country of each merchant."""

AGENTS: Final = (
    "Atlas", "Beacon", "Cedar", "Dune", "Elm", "Fjord", "Glade", "Heron", "Isle", "Jade", "Kite", "Lotus", "Maple",
    "North", "Onyx", "Pine", "Quartz", "Reef", "Sable", "Tide", "Umber", "Vale", "Willow", "Xenon", "Yarrow",
    "Zephyr", "Amber", "Birch", "Coral", "Drift",
)  # fmt: skip
BANKS: Final = {
    "BRL": ("Banco do Vale", "Banco Serra Azul", "Caixa Litoral"),
    "CNY": ("East River Bank", "Jade City Bank", "Northern Harbor Bank"),
    "VND": ("Lotus Bank", "Red River Bank", "Saigon Union Bank"),
    "EUR": ("Rheinhafen Bank", "Volksbank Nordtal", "Sparkasse Lindau"),
    "USD": ("First Prairie Bank", "Harbor National", "Summit Trust"),
}


def person(rng: Random, country: str) -> str:
    """Return a full name in the order its country writes it."""
    first = rng.choice(FIRST[country].split())
    last = rng.choice(LAST[country].split())
    return f"{last} {first}" if country in FAMILY_FIRST else f"{first} {last}"
