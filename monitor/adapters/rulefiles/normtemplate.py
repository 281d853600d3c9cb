"""The empty table for an agency's norms, with an example of each tier."""

import csv
import io
from pathlib import Path
from typing import Final

from monitor.adapters.rulefiles.norms import CATEGORY_NAMES, COLUMNS
from monitor.domain.errors import InputError

TITLES: Final = tuple(titles[0] for titles in COLUMNS.values())
EXAMPLES: Final = (
    ("1", "红线", "不得用绝对化用语介绍商品", "绝对化用语", "高", "全网最好；史上最强", "没有最好只有更好", "", "",
     "主播守则 第三章"),
    ("1", "标准", "开播五分钟内说明本场由数字人播报", "身份与AI标识", "中", "", "",
     "本直播间由数字人播报；我是数字人主播", "5分钟，每30分钟", "主播守则 第四章"),
    ("1", "倡导", "说普通话，讲文明话", "", "", "", "", "", "", "主播守则 第一章"),
)
_LISTS: Final = {
    "层级": ("红线", "标准", "倡导"), "严重度": ("提示", "低", "中", "高", "紧急"), "类别": tuple(CATEGORY_NAMES),
}
_FILLED: Final = 200  # rows below the titles that offer the lists
_WIDTH: Final = 18


def write_template(path: Path) -> None:
    """Raises InputError where the file is there already, or its name ends neither in .xlsx nor in .csv; OSError."""
    if path.suffix.lower() not in (".xlsx", ".csv"):
        raise InputError(f"{path} is the name of no table", hint="let it end in .xlsx or .csv")
    data = _workbook() if path.suffix.lower() == ".xlsx" else _csv()
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise InputError(f"{path} is there already", hint="choose another name") from None


def _csv() -> bytes:
    """With the mark by which Excel knows UTF-8."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([TITLES, *EXAMPLES])
    return text.getvalue().encode("utf-8-sig")


def _workbook() -> bytes:
    try:
        from openpyxl import Workbook
        from openpyxl.utils import get_column_letter
        from openpyxl.worksheet.datavalidation import DataValidation
    except ImportError:
        raise InputError("writing .xlsx needs the extra 'documents'",
                         hint="pip install 'redpost[documents]', or write the template as .csv") from None
    book = Workbook()
    sheet = book.active
    names = book.create_sheet("可选")
    for row in (TITLES, *EXAMPLES):
        sheet.append(row)
    for column, title in enumerate(TITLES, 1):
        letter = get_column_letter(column)
        sheet.column_dimensions[letter].width = _WIDTH
        for cell in sheet[letter]:
            cell.number_format = "@"  # 1-2 stays a text
        if title in _LISTS:
            for place, word in enumerate(_LISTS[title], 1):
                names[f"{letter}{place}"] = word
            words = f"={names.title}!${letter}$1:${letter}${len(_LISTS[title])}"
            choice = DataValidation("list", formula1=words, allow_blank=True)
            choice.showErrorMessage = title != "类别"  # what is none of them stays text
            sheet.add_data_validation(choice)
            choice.add(f"{letter}2:{letter}{_FILLED}")
    sheet.freeze_panes = "A2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
