"""piano-midi.de: the official set of 124 pieces of classical piano music."""

from tasks.ingest.building.official_set import Published, official_recipe

PIANO_MIDI_DE = official_recipe(
    Published(
        name="piano-midi.de",
        dataset="Piano-midi.de",
        archive="Piano-midi.de.zip",
        rolls=(
            "Piano-midi.de.pickle",
            "Piano_midi.mat",
        ),
    )
)
