"""Write the groups of a master: entry, source, sample, instrument, beam, detector, data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import h5py

from nxformula.masters.events.index import write_index
from nxformula.masters.events.matching import EventTable
from nxformula.masters.events.stacks import Run
from nxformula.masters.metadata import Metadata
from nxformula.masters.wavelengths import Wavelengths

DETECTOR: Final = "/entry/instrument/detector"
FIELD: Final = "data"


class MasterWriter:
    """Writes the groups of a master.

    Parameters
    ----------
    file : h5py.File
        New, open for writing.
    run, table
        What it is of.
    metadata : Metadata
        What is known of the experiment.
    folder : str
        Where the file will be.
    """

    def __init__(
        self, file: Any, run: Run, table: EventTable, metadata: Metadata, folder: str
    ) -> None:
        self.file = file
        self.run = run
        self.table = table
        self.metadata = metadata
        self.folder = folder
        file.attrs["NX_class"] = "NXroot"
        file.attrs["default"] = "entry"

    def _group(self, parent: Any, name: str, nx_class: str) -> Any:
        group = parent.create_group(name)
        group.attrs["NX_class"] = nx_class
        return group

    def _put(self, group: Any, name: str, key: str, units: str | None = None) -> None:
        """A field of the metadata, if that is given."""
        value = self.metadata.get(key)
        if value is None:
            return
        group[name] = value
        if units is not None:
            group[name].attrs["units"] = units

    def entry(self, known: Mapping[str, Any], wavelengths: Wavelengths | None) -> None:
        """Entry, source, sample, instrument and beam."""
        entry = self._group(self.file, "entry", "NXentry")
        entry.attrs["default"] = "data"
        entry["definition"] = "NXmx"
        for name in ("start_time", "end_time", "end_time_estimated"):
            self._put(entry, name, name)
        source = self._group(entry, "source", "NXsource")
        self._put(source, "name", "source.name")
        if self.metadata.get("source.short_name") is not None:
            source["name"].attrs["short_name"] = self.metadata.get("source.short_name")
        sample = self._group(entry, "sample", "NXsample")
        self._put(sample, "name", "sample.name")
        sample["depends_on"] = "."
        instrument = self._group(entry, "instrument", "NXinstrument")
        self._put(instrument, "name", "instrument.name")
        if self.metadata.get("instrument.short_name") is not None:
            instrument["name"].attrs["short_name"] = self.metadata.get("instrument.short_name")
        beam = self._group(instrument, "beam", "NXbeam")
        self._put(beam, "incident_wavelength_spread", "beam.bandwidth", "angstrom")
        self._put(beam, "flux", "beam.flux", "Hz")
        value: Any = self.metadata.get("beam.wavelength") or known["beam.wavelength"]
        if wavelengths is not None:
            value = wavelengths.values
            if wavelengths.weights is not None:
                beam["incident_wavelength_weights"] = wavelengths.weights
        field = beam.create_dataset("incident_wavelength", data=value)
        field.attrs["units"] = "angstrom"

    def detector(self, invalid: int | float) -> Any:
        """The detector with its event index."""
        instrument = self.file["entry/instrument"]
        detector = self._group(instrument, "detector", "NXdetector")
        description = self.metadata.get("detector.description") or self.run.detector
        detector["description"] = description
        self._put(detector, "sensor_material", "detector.sensor_material")
        self._put(detector, "sensor_thickness", "detector.sensor_thickness", "m")
        for name, units in (("count_time", "s"), ("frame_time", "s")):
            self._put(detector, name, f"detector.{name}", units)
        for name in ("type", "bit_depth_readout", "saturation_value", "underload_value"):
            self._put(detector, name, f"detector.{name}")
        write_index(detector, self.run, self.table, self.folder, invalid)
        return detector

    def data(self) -> None:
        """The plot group that shows the images."""
        data = self._group(self.file["entry"], "data", "NXdata")
        data.attrs["signal"] = FIELD
        data[FIELD] = h5py.SoftLink(f"{DETECTOR}/{FIELD}")
