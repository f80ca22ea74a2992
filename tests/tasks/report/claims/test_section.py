"""The claims on the page and in the file for programs, of the synthetic campaign with known effects."""

import json
import re


def test_known_effects_decide_the_claims(files):
    claims = {row["claim"]: row for row in json.loads(files["results.json"])["claims"]}
    assert {name: row["verdict"] for name, row in claims.items()} == {
        "training": "supported", "test": "supported", "clipping": "supported", "exploding": "cannot be told",
        "leaky": "cannot be told", "reading": "not tried", "sparse": "cannot be told", "rectifier": "supported",
        "momentum": "contradicted", "hessian-free": "not tried", "output-model": "cannot be told", "text": "supported",
    }  # fmt: skip
    assert claims["momentum"]["rows"][0]["table"] == "effects"
    assert {row["corpus"] for row in claims["text"]["rows"]} == {"folk-tunes-characters", "folk-tunes-words"}


def test_the_page_names_what_decides_and_folds_the_rest(files):
    html = re.sub(r"\s+", " ", files["index.html"].decode())
    section = html[html.index('<section id="claims"') :].split("</section>")[0]
    assert '<td class="worse">contradicted</td>' in section
    assert re.search(r"<b>against</b> bach-chorales, M, test score \(nats per frame\): −0\.\d{3} \[", section)
    assert "Not tried here: 2 claims" in section
    assert "It needs HF and SGD with CLRM, CRM or CLR of one core and output model." in section
