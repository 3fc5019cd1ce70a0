from typing import Annotated

from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from lute.tasks.argv import render_argv
from lute.tasks.models.base import ThirdPartyParameters
from lute.tasks.models.markers import Flag, Positional
from lute.tasks.models.sfx import (
    CompareHKLParameters,
    IndexCrystFELParameters,
    MergePartialatorParameters,
)


class ProgramParameters(ThirdPartyParameters):
    files: Annotated[list[str], Positional()] = Field([])
    short: Annotated[str | None, Flag("-s")] = Field(None)
    long_name: str | None = Field(None)
    other: Annotated[float | None, Flag("--Other")] = Field(None)
    switch: bool = Field(False)
    short_switch: Annotated[bool, Flag("-u")] = Field(False)
    many: list[int] = Field([])


def render(**values: object) -> list[str]:
    return render_argv(ProgramParameters(executable="prog", **values))


def test_each_form() -> None:
    assert render(
        files=["a", "b"],
        short="x",
        long_name="y z",
        other=1e-5,
        switch=True,
        short_switch=True,
        many=[1, 2],
    ) == [
        *["prog", "-s", "x", "--long-name=y z", "--Other=1e-05"],
        *["--switch", "-u", "--many=1", "--many=2", "a", "b"],
    ]


def test_nothing_given_is_nothing_passed() -> None:
    assert render() == ["prog"]
    assert render(long_name="", short="") == ["prog", "-s", "", "--long-name="]


@given(st.text(), st.text(), st.lists(st.text()))
def test_no_text_is_ever_split_or_quoted(short: str, long: str, files: list[str]) -> None:
    assert render(short=short, long_name=long, files=files) == [
        *["prog", "-s", short, f"--long-name={long}"],
        *files,
    ]


def test_indexamajig() -> None:
    parameters = IndexCrystFELParameters(
        in_file="/d/a b.lst",
        out_file="/d/a.stream",
        geometry="/d/x.geom",
        cell_file="/d/x.cell",
        nthreads=8,
        indexing="asdf",
        peaks="cxi",
        multi=True,
        profile=True,
        no_revalidate=True,
    )
    assert render_argv(parameters) == [
        *["indexamajig", "-i", "/d/a b.lst", "-o", "/d/a.stream", "-g", "/d/x.geom", "-j", "8"],
        *["--profile", "--wait-for-file=0", "--peaks=cxi", "--indexing=asdf", "-p", "/d/x.cell"],
        *["--tolerance=5,5,5,1.5", "--multi", "--no-revalidate", "--integration=rings-nocen"],
        *["--fix-divergence=0.0", "--int-radius=4,5,7", "--int-diag=none", "--push-res=infinity"],
    ]


def test_partialator() -> None:
    parameters = MergePartialatorParameters(
        in_file="a.stream", out_file="a.hkl", symmetry="mmm", niter=1, nthreads=2, no_Bscale=True
    )
    assert render_argv(parameters) == [
        *["partialator", "-i", "a.stream", "-o", "a.hkl", "--symmetry=mmm", "-n", "1", "-j", "2"],
        *["--model=unity", "--no-Bscale", "--min-measurements=2", "--start-after=0", "--stop-after=0"],
        "--max-rel-B=100.0",
    ]


def test_compare_hkl() -> None:
    parameters = CompareHKLParameters(
        in_files=["a.hkl1", "a.hkl2"],
        symmetry="mmm",
        cell_file="x.cell",
        shell_file="a.dat",
        fix_unity=True,
        highres=3.25,
    )
    assert render_argv(parameters) == [
        *["compare_hkl", "--symmetry=mmm", "-p", "x.cell", "--fom=Rsplit", "--nshells=10"],
        *["--shell-file=a.dat", "-u", "--highres=3.25", "a.hkl1", "a.hkl2"],
    ]
