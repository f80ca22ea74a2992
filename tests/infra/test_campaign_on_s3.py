"""A small campaign on a real S3 server, in this process: bad weather all the way, and credentials that expire."""

import pytest
from prefect.logging import disable_run_logger

from infra.errors import StoreError
from infra.store import Store
from tests.chaos.contents import changed, contents
from tests.infra.s3_proxy import LossyProxy
from tests.tasks.test_killed import run

pytestmark = pytest.mark.integration


def test_a_campaign_goes_through_bad_weather_and_goes_on_when_its_credentials_are_renewed(
    proxy: LossyProxy, s3_address: str
) -> None:
    with disable_run_logger():
        assert run(f"{s3_address}/calm") == {}
        expected, asked = contents(Store(f"{s3_address}/calm")), len(proxy.requests)

        proxy.stormy = 9
        assert run(f"{s3_address}/stormy") == {}
        proxy.stormy, proxy.refused, proxy.reset = 0, [], 0
        assert sum(each.status in (0, 503) for each in proxy.requests) > asked // 9
        assert changed(contents(Store(f"{s3_address}/stormy")), expected) == []

        for part in (1, 2):
            address, before, good = f"{s3_address}/expired-{part}", len(proxy.requests), asked * part // 3
            proxy.refusal, proxy.refuse_after = (400, "ExpiredToken", "", {}), good
            with pytest.raises(StoreError, match="the session has expired; get new credentials") as caught:
                run(address)
            assert str(caught.value).isprintable()
            assert len(proxy.requests) - before - good < 10, "it does not ask again and again"
            proxy.refusal = None
            assert run(address) == {}
            assert changed(contents(Store(address)), expected) == []
