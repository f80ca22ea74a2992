"""nottingham: the official set of 1,037 British and American folk tunes with chords."""

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
