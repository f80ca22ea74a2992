"""jsb-chorales: the official set of 382 chorales of Bach, from the corpus of M. Allan and C. Williams.

The files' headers give 100 ticks in a quarter note, but the notes lie on a grid of 120 ticks. The step is therefore 120
ticks, and cell 0 is kept.
"""

from tasks.ingest.building.official_set import Published, official_recipe

JSB_CHORALES = official_recipe(
    Published(
        name="jsb-chorales",
        dataset="JSB Chorales",
        archive="JSB Chorales.zip",
        rolls=(
            "JSB Chorales.pickle",
            "JSB_Chorales.mat",
        ),
        step=120,
        keep_first=True,
    )
)
