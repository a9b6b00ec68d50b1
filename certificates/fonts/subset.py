"""Cuts the fonts of this folder out of Debian's Noto fonts. See README.md."""

import subprocess
import sys
from pathlib import Path

SYMBOLS = (
    "±°℃℉Ωµμ×·−≤≥²³¹⁰⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉√Δσ∞→←↑↓✓✗—–…‰∑∂∫≈≠≡∆Ω"
    "○●■□▲△◆◇▼▽•‑‐“”‘’„‹›€¥￥№′″⁄∝∈∩∪⌈⌉"
)
RANGES = [(0x20, 0x7E), (0xA0, 0x17F), (0x391, 0x3C9), (0xFF01, 0xFF5E)]


def characters() -> str:
    """GB 2312 whole (symbols and 6763 hanzi), Latin, Greek, full-width forms, symbols."""
    chosen = set(SYMBOLS)
    for first, last in RANGES:
        chosen.update(chr(code) for code in range(first, last + 1))
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                chosen.add(bytes([row, cell]).decode("gb2312"))
            except UnicodeDecodeError:
                pass
    return "".join(sorted(chosen))


# What the CJK face lacks comes from Noto Sans.
LATIN = "".join(chr(code) for code in range(0x100, 0x250)) + "ΪΫάέήίΰϊϋόύώ⁄⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾₀₁₂₃₄₅₆₇₈₉₊₋₌"
FEATURES = "kern,liga,locl,mark,mkmk,tnum,sups,subs,ccmp,palt"


def cut(source: Path, target: Path, text: str, *more: str) -> None:
    subprocess.run(
        [
            "pyftsubset",
            str(source),
            f"--text={text}",
            f"--output-file={target}",
            f"--layout-features={FEATURES}",
            "--name-IDs=*",
            "--name-languages=*",
            "--no-hinting",
            "--desubroutinize",
            "--no-recalc-timestamp",
            *more,
        ],
        check=True,
    )


def main() -> None:
    fonts = Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/fonts")
    here = Path(__file__).resolve().parent
    for weight in ("Regular", "Bold"):
        cut(
            fonts / f"opentype/noto/NotoSansCJK-{weight}.ttc",
            here / f"NotoSansCJKsc-{weight}-GB2312.otf",
            characters(),
            "--font-number=2",  # the face for Simplified Chinese
        )
        cut(
            fonts / f"truetype/noto/NotoSans-{weight}.ttf",
            here / f"NotoSans-{weight}-Latin.ttf",
            LATIN,
        )


if __name__ == "__main__":
    main()
