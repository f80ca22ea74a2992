"""musedata: the official set of 783 files of orchestral and piano music, from the Electronic Library of CCARH.

The licence forbids fetching it here. Users give their own copy, by --from or COUNTERPOINT_DATA.
"""

from tasks.ingest.building.official_set import Published, official_recipe

MUSEDATA = official_recipe(
    Published(
        name="musedata",
        dataset="MuseData",
        archive="MuseData.zip",
        rolls=(
            "MuseData.pickle",
            "MuseData.mat",
        ),
    )
)
