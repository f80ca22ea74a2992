"""musedata: 783 files of orchestral and piano music of the Electronic Library of CCARH, the official set.

Its licence has a user bring it, by --from or COUNTERPOINT_DATA.
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
