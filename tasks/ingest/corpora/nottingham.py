"""nottingham: 1,037 folk tunes of Britain and America with chords, the official set."""

from tasks.ingest.building.official_set import Published, official_recipe

NOTTINGHAM = official_recipe(
    Published(
        name="nottingham",
        dataset="Nottingham",
        archive="Nottingham.zip",
        rolls=(
            "Nottingham.pickle",
            "Nottingham.mat",
        ),
    )
)
