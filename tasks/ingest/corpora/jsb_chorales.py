"""jsb-chorales: 382 chorales of Bach as the corpus of M. Allan and C. Williams has them, the official set.

Its header says 100 ticks a quarter note, and its notes lie on a grid of 120: that is the step, and cell 0 is kept.
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
