"""Three small rules: a promise, a risk notice that makes no finding of its own, and the notice that is due."""

from pathlib import Path

CLAUSES = """
- id: AD-25-1
  document: 广告法
  issuer: 某机关
  article: 第二十五条
  requirement: 提示风险，不作保证
  effective_from: 2021-04-29
  confidence: high
  categories: [promise_return]
"""
PROMISE = """
id: shop.promise
title: 承诺收益
tier: redline
category: [promise_return]
severity: high
status: active
clauses: [AD-25-1]
detection: {said: {terms: [保本保息]}, condition: said}
advice: {say: 不承诺收益}
cases: [{text: 这个保本保息, expect: [said]}, {text: 这个有风险, expect: none}]
"""
NOTICE = """
id: shop.notice
title: 风险提示
tier: standard
category: [promise_return]
severity: info
status: active
clauses: [AD-25-1]
detection: {said: {terms: [投资有风险]}, condition: said}
cases: [{text: 投资有风险, expect: [said]}, {text: 保本保息, expect: none}]
"""
UNTOLD = """
id: shop.untold
title: 没有提示风险
tier: standard
category: [promise_return]
severity: medium
status: active
clauses: [AD-25-1]
correlation: {type: absence, after: {rule: shop.promise}, unless: [shop.notice], within: 3m}
advice: {say: 补一句投资有风险}
cases:
  - {events: [{after: 0s, text: 这个保本保息}], until: 10m, expect: finding}
  - {events: [{after: 0s, text: 投资有风险}], until: 10m, expect: none}
"""


def write(folder: Path) -> Path:
    (folder / "clauses.yml").write_text(CLAUSES, "utf-8")
    pack = folder / "shop"
    pack.mkdir()
    for name, text in {"pack": "id: shop\ntitle: 卖货\nversion: '1'\n", "promise": PROMISE, "notice": NOTICE,
                       "untold": UNTOLD}.items():
        (pack / f"{name}.yml").write_text(text, "utf-8")
    return folder
