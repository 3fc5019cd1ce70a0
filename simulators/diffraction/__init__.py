"""A diffraction experiment: a known crystal, frames of it, and the truth to check an analysis against."""
