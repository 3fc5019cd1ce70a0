"""Parameters of peak finding."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from lute.tasks.models.base import ParameterGroup, TaskParameters
from lute.tasks.models.markers import InFile, OutFile, Template


def _clear_tag(tag: str) -> str:
    """Return a tag as it is.

    Raises:
        ValueError: names of files with it would be unclear.
    """
    if "/" in tag or "\0" in tag:
        raise ValueError("it is part of names of files and may have no '/'")
    if re.match(r"\d+_", tag):
        raise ValueError("so begin the names of other files: it may not begin with digits and '_'")
    return tag


class CompressionParameters(ParameterGroup):
    """How images are compressed before they are written."""

    compressor: Literal["qoz", "sz3"] = Field("qoz", description="Compression algorithm.")
    abs_error: float = Field(10.0, gt=0, description="Largest error of a pixel, in ADU.")
    bin_size: int = Field(2, ge=1, description="Pixels binned in each direction.")
    roi_window_size: int = Field(9, ge=1, description="Side of the square kept around a peak, in pixels.")


class FindPeaksPyAlgosParameters(TaskParameters):
    """FindPeaksPyAlgos: finds hits and their Bragg peaks; writes CXI files and a list of them."""

    outdir: Annotated[str, Template("{{ work_dir }}")] = Field(
        description="Directory for the CXI files. Default: the working directory."
    )
    xtc_files: Annotated[list[str], InFile()] = Field(
        [],
        description="Paths of xtc2 files to read from end to end. Without, psana opens the run of the header "
        "below the SIT_PSDM_DATA of the environment.",
    )
    n_events: int = Field(0, ge=0, description="Number of events to process; 0 means all.")
    det_name: str = Field(min_length=1, description="psana's name of the detector.")
    event_receiver: Literal["evr0", "evr1"] = Field(
        "evr0", description="Event receiver of LCLS-I; runs of LCLS-II have one, `timing`, and it is taken."
    )
    tag: Annotated[str, AfterValidator(_clear_tag)] = Field(
        "", description="Text added to the names of the files."
    )
    pv_camera_length: str | float = Field(
        "",
        description="Process variable of the camera length; or the camera length itself, in mm. Without, "
        "the CXI files have none.",
    )
    photon_energy_eV: float | None = Field(  # noqa: N815
        None,
        gt=0,
        allow_inf_nan=False,
        description="Photon energy, in eV. Without, that which the run's `ebeam` has with each event.",
    )
    calibration: Literal["none", "database"] = Field(
        "none",
        description="How frames are corrected: `database` has psana do it with the site's calibration "
        "database, over the network; with `none`, only `pedestal_file` is subtracted.",
    )
    pedestal_file: Annotated[str | None, InFile()] = Field(
        None,
        description="Path of pedestals, in ADU, as numpy file with the shape of a raw frame.",
    )
    event_logic: bool = Field(False, description="Whether only events with `event_code` are processed.")
    event_code: int = Field(0, ge=0, description="The event code that `event_logic` asks for.")
    psana_mask: bool = Field(
        False, description="Whether to apply psana's mask of the detector, which is in the database."
    )
    mask_file: Annotated[str | None, InFile()] = Field(
        None, description="Path of a further mask, as numpy file: 0 where a pixel is bad."
    )
    min_peaks: int = Field(
        10, ge=0, description="A frame with fewer peaks is no hit. With less than 10, blanks become hits."
    )
    max_peaks: int = Field(2048, ge=1, description="A frame with more peaks is no hit.")
    npix_min: int = Field(2, ge=1, description="Fewest pixels of a peak.")
    npix_max: int = Field(30, ge=1, description="Most pixels of a peak.")
    amax_thr: float = Field(80.0, description="Lowest maximum of a peak, in ADU.")
    atot_thr: float = Field(120.0, description="Lowest sum of a peak, in ADU.")
    son_min: float = Field(7.0, ge=0, description="Lowest ratio of signal to noise of a peak.")
    peak_rank: int = Field(3, ge=1, description="Radius in which a peak is the maximum, in pixels.")
    r0: float = Field(3.0, gt=0, description="Inner radius of the background ring, in pixels.")
    dr: float = Field(2.0, gt=0, description="Width of the background ring, in pixels.")
    nsigm: float = Field(7.0, ge=0, description="A pixel belongs to a peak from so many times the noise on.")
    compression: CompressionParameters | None = Field(
        None, description="How images are compressed; not supported yet: leave it out."
    )
    out_file: Annotated[str, Template("{{ outdir }}/{{ experiment }}_{{ run }}_{{ tag }}.lst"), OutFile()] = (
        Field(description="Path of the list of CXI files.")
    )

    @model_validator(mode="after")
    def _check_ranges(self) -> Self:
        for fewest, most in (("min_peaks", "max_peaks"), ("npix_min", "npix_max")):
            if getattr(self, fewest) > getattr(self, most):
                raise ValueError(
                    f"'{fewest}' is {getattr(self, fewest)}, more than '{most}', {getattr(self, most)}"
                )
        return self
