"""Parameters of the Tasks that try LUTE itself."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from lute.tasks.models.base import ParameterGroup, TaskParameters, ThirdPartyParameters
from lute.tasks.models.markers import Flag, FromTask

TEST_PROGRAM = Path(__file__).parent.parent / "programs" / "test_threads"


class CompoundParameters(ParameterGroup):
    """Parameters within a parameter."""

    int_var: int = Field(1, description="An integer.")
    dict_var: dict[str, str] = Field({"a": "b"}, description="Texts by name.")


class TestParameters(TaskParameters):
    """Test: prints, waits, sends messages."""

    float_var: float = Field(0.01, description="A number.")
    str_var: str = Field("test", description="A text; it becomes part of the summary.")
    compound_var: CompoundParameters = Field(CompoundParameters(), description="A parameter made of several.")
    sleep_s: float = Field(0.1, ge=0, description="Time to wait, in seconds.")
    num_messages: int = Field(10, ge=0, le=100_000, description="Number of messages to send.")
    throw_error: bool = Field(False, description="Whether to fail by an exception.")


class TestSocketParameters(TaskParameters):
    """TestSocket: sends numpy arrays to the Executor."""

    array_size: int = Field(
        10_000, ge=0, le=100_000_000, description="Size of each array, in numbers of 8 bytes."
    )
    num_arrays: int = Field(10, ge=0, description="Number of arrays to send.")


class TestWriteOutputParameters(TaskParameters):
    """TestWriteOutput: writes a file, for TestReadOutput to read."""

    outfile_name: str = Field(
        "test_output.txt", min_length=1, description="Name of the file, within the working directory."
    )
    num_vals: int = Field(100, ge=0, le=10_000_000, description="Number of values to write.")


class TestReadOutputParameters(TaskParameters):
    """TestReadOutput: reads the file of TestWriteOutput."""

    in_file: Annotated[str, FromTask("TestWriteOutput", "out_file")] = Field(
        description="Path of the file. Default: the one that TestWriteOutput wrote."
    )


class TestBinaryParameters(ThirdPartyParameters):
    """TestBinary: a program with many threads."""

    executable: str = Field(str(TEST_PROGRAM), min_length=1, description="The program.")
    threads: Annotated[int, Flag("-t")] = Field(4, ge=1, le=1024, description="Number of threads.")
    seconds: float = Field(0.5, ge=0, description="How long each thread computes, in seconds.")


class TestBinaryErrParameters(TestBinaryParameters):
    """TestBinaryErr: the same program, made to fail."""

    exit_code: int = Field(1, ge=1, le=255, description="Exit code to fail with.")
