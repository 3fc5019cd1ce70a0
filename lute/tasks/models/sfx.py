"""Parameters of the Tasks of serial femtosecond crystallography that run CrystFEL.

The models of CrystFEL's programs follow their manual pages, version 0.12; a parameter left out keeps
the program's own default. Their options for live data (ZeroMQ, ASAP::O) are left out: a Task works on
files.
"""

import os
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from lute.errors import did_you_mean
from lute.tasks.models.base import ThirdPartyParameters
from lute.tasks.models.markers import FileList, Flag, FromTask, InFile, OutFile, Positional, Template

_OUTPUT = "{{ work_dir }}/{{ experiment }}_r{{ run:04d }}"
_POINT_GROUP = "Point group, such as mmm or 4/mmm."
_THREE_NUMBERS = r"^[\d.]+,[\d.]+,[\d.]+$"
_CELL_FILE = "Path of the unit cell, as PDB or CrystFEL cell file."


_INDEXING_METHODS = (
    *("asdf", "dirax", "felix", "ffbidx", "file", "mosflm", "none", "pinkIndexer", "pinkindexer"),
    *("smallcell", "taketwo", "xds", "xgandalf"),
)
_INDEXING_PRIORS = ("cell", "latt", "nocell", "nolatt")


def _usable_cores() -> int:
    """Return the number of cores of the job."""
    return len(os.sched_getaffinity(0))


def _indexing_workers() -> int:
    """Return 4 for each core of the job."""
    return 4 * _usable_cores()


def _known_methods(methods: str | None) -> str | None:
    """Return the indexing methods as they are.

    Raises:
        ValueError: one of them is none that CrystFEL knows.
    """
    for text in methods.split(",") if methods is not None else ():
        method, *priors = text.strip().split("-")
        if method not in _INDEXING_METHODS:
            raise ValueError(f"no indexing method '{method}': {did_you_mean(method, _INDEXING_METHODS)}")
        for prior in priors:
            if prior not in _INDEXING_PRIORS:
                raise ValueError(f"'{method}' takes no '-{prior}': {did_you_mean(prior, _INDEXING_PRIORS)}")
    return methods


class IndexCrystFELParameters(ThirdPartyParameters):
    """IndexCrystFEL: indexes and integrates the frames of a list, by `indexamajig`."""

    executable: str = Field("indexamajig", min_length=1, description="The program.")
    in_file: Annotated[
        str,
        Flag("-i"),
        FromTask("FindPeaksPyAlgos", "out_file"),
        FileList(unless=("prefix", "basename", "wait_for_file")),
    ] = Field(min_length=1, description="List of image files. Default: the one that FindPeaksPyAlgos wrote.")
    out_file: Annotated[str, Flag("-o"), Template(_OUTPUT + ".stream"), OutFile()] = Field(
        description="Path of the stream to write."
    )
    geometry: Annotated[str, Flag("-g"), InFile()] = Field(
        min_length=1, description="Path of the geometry file."
    )
    # Input
    basename: bool = Field(False, description="Take the directories off the names in the list.")
    prefix: str | None = Field(None, description="Text put before the names in the list.")
    no_check_prefix: bool = Field(False, description="Do not correct the prefix.")
    nthreads: Annotated[int, Flag("-j")] = Field(
        default_factory=_indexing_workers,
        ge=1,
        description="Number of frames indexed at a time. Each worker waits for the stream now and then: "
        "several for a core are 2 to 4 times as fast as one.",
    )
    cpu_pin: bool = Field(False, description="Keep each worker on one core.")
    highres: float | None = Field(None, gt=0, description="Ignore pixels beyond this resolution, in Å.")
    profile: bool = Field(False, description="Print where time goes.")
    temp_dir: str | None = Field(None, description="Directory for temporary files.")
    wait_for_file: int = Field(
        0, ge=-1, description="Wait for each file to appear for so many seconds; -1 means for ever."
    )
    no_image_data: bool = Field(False, description="Load no images, only what belongs to them.")
    # Peaks
    peaks: Literal["cxi", "hdf5", "msgpack", "zaef", "peakfinder8", "peakfinder9"] | None = Field(
        None, description="Where peaks come from."
    )
    min_peaks: int | None = Field(
        None, ge=0, description="A frame with fewer peaks is no hit and not indexed. CrystFEL's default: 0."
    )
    no_half_pixel_shift: bool = Field(False, description="Take CXI peaks as positions of corners.")
    threshold: float | None = Field(None, description="Peak search: lowest intensity, in ADU.")
    min_snr: float | None = Field(None, description="Peak search: lowest ratio of signal to noise.")
    peak_radius: str | None = Field(
        None,
        pattern=_THREE_NUMBERS,
        description="Peak search: radii as for `int_radius`, which is the default.",
    )
    median_filter: int | None = Field(
        None, ge=1, description="Peak search: subtract the median within this distance, in pixels."
    )
    filter_noise: bool = Field(False, description="Peak search: leave noisy places out.")
    min_squared_gradient: float | None = Field(
        None, description="Peak search zaef: lowest square of the gradient, in (ADU per pixel)²."
    )
    min_snr_biggest_pix: float | None = Field(
        None, description="Peak search peakfinder9: lowest ratio of signal to noise of the maximum."
    )
    min_snr_peak_pix: float | None = Field(
        None, description="Peak search peakfinder9: lowest ratio of signal to noise of a pixel."
    )
    min_sig: float | None = Field(
        None, description="Peak search peakfinder9: lowest noise of the background, in ADU."
    )
    min_peak_over_neighbour: float | None = Field(
        None, description="Peak search peakfinder9: how far the maximum stands out, in ADU."
    )
    min_res: int | None = Field(None, ge=0, description="Peak search: nearest to the centre, in pixels.")
    max_res: int | None = Field(None, ge=0, description="Peak search: farthest from the centre, in pixels.")
    peakfinder8_fast: bool = Field(False, description="Peak search peakfinder8: coarser background.")
    no_use_saturated: bool = Field(False, description="Leave saturated peaks out.")
    check_hdf5_snr: bool = Field(False, description="Hold peaks of the image file to `min_snr` too.")
    min_pix_count: int | None = Field(None, ge=1, description="Peak search: fewest pixels of a peak.")
    max_pix_count: int | None = Field(None, ge=1, description="Peak search: most pixels of a peak.")
    local_bg_radius: int | None = Field(
        None, ge=1, description="Peak search: radius of the local background, in pixels."
    )
    # Indexing
    indexing: Annotated[str | None, AfterValidator(_known_methods)] = Field(
        None,
        description="Methods to try, parted by commas; -cell, -nocell, -latt or -nolatt behind one says "
        "what it is told beforehand. Without: those that can be used.",
    )
    fromfile_input_file: Annotated[str | None, InFile()] = Field(
        None, pattern="^/", description="Absolute path of the solutions for the method `file`."
    )
    cell_file: Annotated[str | None, Flag("-p"), InFile()] = Field(None, description=_CELL_FILE)
    tolerance: str = Field(
        "5,5,5,1.5",
        pattern=r"^[\d.]+(,[\d.]+){3,5}$",
        description="How far a cell may be off: a,b,c in percent, then the angles in degrees.",
    )
    no_check_cell: bool = Field(False, description="Accept other cells than the given one.")
    no_check_peaks: bool = Field(False, description="Do not check that the peaks fit the solution.")
    multi: bool = Field(False, description="Look for several crystals in a frame.")
    no_retry: bool = Field(False, description="Do not try again without the weakest peaks.")
    no_refine: bool = Field(False, description="Do not refine the solution.")
    no_revalidate: bool = Field(False, description="Do not check peaks for saturation and validity again.")
    wavelength_estimate: float | None = Field(None, gt=0, description="Wavelength, in m.")
    camera_length_estimate: float | None = Field(None, gt=0, description="Camera length, in m.")
    mille: bool = Field(False, description="Write data for refining the detector's geometry, for Millepede.")
    mille_file: str | None = Field(None, description="Path of those data.")
    max_mille_level: int | None = Field(
        None, ge=0, description="How deep into the detector's hierarchy; 0 means the whole only."
    )
    max_indexer_threads: int | None = Field(None, ge=1, description="Threads within one indexer.")
    asdf_fast: bool = Field(False, description="asdf: three times as fast, some frames lost.")
    taketwo_member_threshold: int | None = Field(None, ge=1, description="TakeTwo: vectors to consider.")
    taketwo_len_tolerance: float | None = Field(None, gt=0, description="TakeTwo: tolerance, in 1/Å.")
    taketwo_angle_tolerance: float | None = Field(None, gt=0, description="TakeTwo: tolerance, in degrees.")
    taketwo_trace_tolerance: float | None = Field(None, gt=0, description="TakeTwo: tolerance, in degrees.")
    felix_domega: float | None = Field(None, gt=0, description="Felix: mosaicity, in degrees.")
    felix_fraction_max_visits: float | None = Field(None, description="Felix: lowest share of visits.")
    felix_max_internal_angle: float | None = Field(
        None, description="Felix: largest angle between observed and predicted spots, in degrees."
    )
    felix_max_uniqueness: float | None = Field(None, description="Felix: largest share of shared spots.")
    felix_min_completeness: float | None = Field(None, description="Felix: lowest share of spots found.")
    felix_min_visits: int | None = Field(None, description="Felix: fewest visits of a voxel.")
    felix_num_voxels: int | None = Field(None, ge=1, description="Felix: voxels of the search.")
    felix_sigma: float | None = Field(None, description="Felix: sigma of the angles, in degrees.")
    felix_tthrange_max: float | None = Field(None, description="Felix: largest 2 theta, in degrees.")
    felix_tthrange_min: float | None = Field(None, description="Felix: smallest 2 theta, in degrees.")
    pinkindexer_considered_peaks_count: Annotated[
        int | None, Flag("--pinkIndexer-considered-peaks-count")
    ] = Field(None, ge=0, le=4, description="pinkIndexer: peaks used, from 0 (few) to 4 (many).")
    pinkindexer_angle_resolution: Annotated[int | None, Flag("--pinkIndexer-angle-resolution")] = Field(
        None, ge=0, le=4, description="pinkIndexer: density of angles, from 0 (loose) to 4 (dense)."
    )
    pinkindexer_refinement_type: Annotated[int | None, Flag("--pinkIndexer-refinement-type")] = Field(
        None, ge=0, le=5, description="pinkIndexer: kind of refinement; 0 means none."
    )
    pinkindexer_tolerance: Annotated[float | None, Flag("--pinkIndexer-tolerance")] = Field(
        None, gt=0, description="pinkIndexer: tolerance, as a fraction."
    )
    pinkindexer_reflection_radius: Annotated[float | None, Flag("--pinkIndexer-reflection-radius")] = Field(
        None, gt=0, description="pinkIndexer: radius of a reflection, in 1/Å."
    )
    pinkindexer_max_resolution_for_indexing: Annotated[
        float | None, Flag("--pinkIndexer-max-resolution-for-indexing")
    ] = Field(None, gt=0, description="pinkIndexer: highest 1/d used, in 1/Å.")
    pinkindexer_max_refinement_disbalance: Annotated[
        float | None, Flag("--pinkIndexer-max-refinement-disbalance")
    ] = Field(None, ge=0, le=2, description="pinkIndexer: largest disbalance between the detector's sides.")
    xgandalf_sampling_pitch: int | None = Field(None, ge=0, description="XGANDALF: density of sampling.")
    xgandalf_grad_desc_iterations: int | None = Field(None, ge=0, description="XGANDALF: iterations.")
    xgandalf_tolerance: float | None = Field(None, gt=0, description="XGANDALF: tolerance, as a fraction.")
    xgandalf_no_deviation_from_provided_cell: bool = Field(False, description="XGANDALF: keep the cell.")
    xgandalf_min_lattice_vector_length: float | None = Field(None, gt=0, description="XGANDALF: in Å.")
    xgandalf_max_lattice_vector_length: float | None = Field(None, gt=0, description="XGANDALF: in Å.")
    xgandalf_max_peaks: int | None = Field(None, ge=1, description="XGANDALF: most peaks used.")
    xgandalf_fast_execution: bool = Field(False, description="XGANDALF: fast settings.")
    # Integration
    integration: str = Field("rings-nocen", description="Method of integration.")
    fix_profile_radius: float | None = Field(None, ge=0, description="Profile radius, in 1/m.")
    fix_divergence: float | None = Field(0.0, ge=0, description="Divergence of the beam, full angle in rad.")
    int_radius: str = Field(
        "4,5,7",
        pattern=_THREE_NUMBERS,
        description="Radii of integration: peak, inner and outer edge of the background, in pixels.",
    )
    int_diag: str = Field("none", description="When to print details of the integration.")
    push_res: str = Field("infinity", description="Integrate so far beyond the apparent resolution, in 1/nm.")
    overpredict: bool = Field(False, description="Predict more reflections than needed.")
    cell_parameters_only: bool = Field(False, description="Predict no reflections.")
    # Output
    no_non_hits_in_stream: bool = Field(False, description="Leave frames that are no hits out.")
    copy_header: list[str] = Field([], description="Headers of the image copied to the stream.")
    no_peaks_in_stream: bool = Field(False, description="Leave the peaks out of the stream.")
    no_refls_in_stream: bool = Field(False, description="Leave the reflections out of the stream.")
    serial_offset: int | None = Field(None, ge=1, description="Number of the first frame.")
    harvest_file: str | None = Field(None, description="Write the parameters to this file, as JSON.")


class MergePartialatorParameters(ThirdPartyParameters):
    """MergePartialator: scales and merges a stream, by `partialator`."""

    executable: str = Field("partialator", min_length=1, description="The program.")
    in_file: Annotated[str, Flag("-i"), FromTask("IndexCrystFEL", "out_file"), InFile()] = Field(
        min_length=1, description="Stream to merge. Default: the one that IndexCrystFEL wrote."
    )
    out_file: Annotated[str, Flag("-o"), Template(_OUTPUT + ".hkl"), OutFile()] = Field(
        description="Path of the reflections to write; the two half data sets get a 1 and a 2 behind."
    )
    symmetry: str = Field(min_length=1, description=_POINT_GROUP)
    niter: Annotated[int | None, Flag("-n")] = Field(
        None, ge=0, description="Cycles of scaling and post-refinement."
    )
    nthreads: Annotated[int, Flag("-j")] = Field(
        default_factory=_usable_cores, ge=1, description="Number of threads."
    )
    model: Literal["unity", "xsphere", "offset", "ggpm"] = Field("unity", description="Partiality model.")
    no_scale: bool = Field(False, description="Do not scale.")
    no_Bscale: bool = Field(False, description="Do not scale the Debye-Waller part.")  # noqa: N815
    no_pr: bool = Field(False, description="Do not refine orientations.")
    no_deltacchalf: bool = Field(False, description="Do not reject crystals that lower CC1/2.")
    polarisation: str | None = Field(None, description="Polarisation of the beam, such as horiz90.")
    no_polarisation: bool = Field(False, description="Do not correct for polarisation.")
    max_adu: float | None = Field(None, description="Leave reflections with stronger peaks out, in ADU.")
    min_res: float | None = Field(None, gt=0, description="Leave crystals out that diffract less far, in Å.")
    min_measurements: int = Field(2, ge=1, description="Leave reflections measured less often out.")
    push_res: float | None = Field(
        None, description="Merge so far beyond each crystal's resolution, in 1/nm."
    )
    start_after: int = Field(0, ge=0, description="Leave the first so many crystals out.")
    stop_after: int = Field(0, ge=0, description="Stop after so many crystals; 0 means take all.")
    no_free: bool = Field(False, description="Do not cross-validate. For tests only.")
    custom_split: Annotated[str | None, InFile()] = Field(
        None, description="File that says which frame belongs to which set."
    )
    max_rel_B: float = Field(  # noqa: N815
        100.0, gt=0, description="Leave crystals with a larger relative B factor out, in Å²."
    )
    output_every_cycle: bool = Field(False, description="Write results after every cycle.")
    no_logs: bool = Field(False, description="Write no logs of the refinement.")
    log_folder: str | None = Field(None, description="Directory of those logs. CrystFEL's default: pr-logs.")
    set_symmetry: Annotated[str | None, Flag("-w")] = Field(
        None, description="Apparent point group of the crystals, for resolving ambiguities."
    )
    operator: str | None = Field(None, description="Ambiguity operator, such as k,h,-l.")
    force_bandwidth: float | None = Field(None, ge=0, description="Bandwidth, as a fraction.")
    force_radius: float | None = Field(None, ge=0, description="Profile radius, in 1/nm.")
    force_lambda: float | None = Field(None, gt=0, description="Wavelength, in Å.")
    harvest_file: str | None = Field(None, description="Write the parameters to this file, as JSON.")


class CompareHKLParameters(ThirdPartyParameters):
    """CompareHKL: compares two sets of reflections, by `compare_hkl`."""

    executable: str = Field("compare_hkl", min_length=1, description="The program.")
    in_files: Annotated[
        list[str], Positional(), FromTask("MergePartialator", "out_file", forms=("{}1", "{}2")), InFile()
    ] = Field(
        min_length=2,
        max_length=2,
        description="The two sets. Default: the half data sets that MergePartialator wrote.",
    )
    symmetry: Annotated[str, FromTask("MergePartialator", "symmetry")] = Field(
        min_length=1, description=_POINT_GROUP + " Default: that of MergePartialator."
    )
    cell_file: Annotated[str, Flag("-p"), FromTask("IndexCrystFEL", "cell_file"), InFile()] = Field(
        min_length=1, description=_CELL_FILE + " Default: that of IndexCrystFEL."
    )
    fom: Literal[
        "R1I",
        "R1F",
        "R2",
        "Rsplit",
        "CC",
        "CCstar",
        "CCano",
        "CRDano",
        "Rano",
        "d1sig",
        "d2sig",
    ] = Field("Rsplit", description="Figure of merit.")
    nshells: int = Field(10, ge=1, description="Number of resolution shells.")
    shell_file: Annotated[str, Template(_OUTPUT + "_{{ fom }}_n{{ nshells }}.dat"), OutFile()] = Field(
        description="Path of the table of the shells to write."
    )
    fix_unity: Annotated[bool, Flag("-u")] = Field(False, description="Do not scale one set to the other.")
    ignore_negs: bool = Field(False, description="Leave negative intensities out.")
    zero_negs: bool = Field(False, description="Set negative intensities to 0.")
    sigma_cutoff: float | None = Field(None, description="Leave weaker reflections out, in I/sigma(I).")
    min_measurements: int | None = Field(
        None, ge=1, description="Leave reflections measured less often in either set out."
    )
    lowres: float | None = Field(None, gt=0, description="Largest d, in Å.")
    highres: float = Field(
        gt=0, description="Smallest d, in Å. Empty shells beyond the data would spoil the overall figure."
    )
