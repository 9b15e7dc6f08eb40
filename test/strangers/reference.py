"""An independent reading of AWS's rules for web identity trust policies, for the differential test of the judge.

Reads one JSON case a line: {"policy": ..., "claims": ..., "federated": ..., "session": ...}; writes allow, deny or
unknown a line. Written from the rules alone, without a look at the TypeScript: another language, another structure.
"""
import fnmatch
import json
import re
import sys


class Unknown(Exception):
    pass


def listed(value):
    return value if isinstance(value, list) else [value]


def glob(pattern, text):
    # fnmatch knows [ ] as well; a policy does not.
    escaped = "".join("[" + c + "]" if c in "[]" else c for c in pattern)
    return re.fullmatch(fnmatch.translate(escaped), text, re.DOTALL) is not None


def context(key, claims, session):
    """The values of a condition key: a list, or None where the request has no such key."""
    key = key.lower()
    prefix = claims["iss"].replace("https://", "").lower() + ":"
    if key.startswith(prefix):
        name = key[len(prefix):]
        if name == "aud":
            source = "azp" if "azp" in claims else "aud"
        elif name == "oaud":
            source = "aud"
        elif name in ("sub", "amr", "email"):
            source = name
        else:
            return None
        if source not in claims:
            return None
        return [str(v) for v in listed(claims[source])]
    if key == "sts:rolesessionname":
        return [session]
    if key == "aws:principalarn":
        return None
    if key.startswith("aws:requesttag/") or key in ("aws:tagkeys", "sts:sourceidentity"):
        return None
    if key == "aws:principaltype":
        return ["User"]
    if key.split(":")[0] in ("aws", "sts", "iam"):
        raise Unknown(key)
    return None


POSITIVE = {
    "stringequals": lambda a, b: a == b,
    "stringequalsignorecase": lambda a, b: a.lower() == b.lower(),
    "stringlike": lambda a, b: glob(b, a),
    "bool": lambda a, b: a.lower() == b.lower(),
}
NEGATIVE = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
}


def condition(operator, key, wanted, claims, session):
    name = operator.lower()
    quantifier = None
    for prefix in ("foranyvalue:", "forallvalues:"):
        if name.startswith(prefix):
            quantifier, name = prefix[:-1], name[len(prefix):]
    optional = name.endswith("ifexists")
    if optional:
        name = name[: -len("ifexists")]
    values = context(key, claims, session)
    wanted = listed(wanted)
    if name == "null":
        if any(w in ("true", "false") and (w == "true") == (values is None) for w in wanted):
            return True
        if any(w not in ("true", "false") for w in wanted):
            raise Unknown(key)
        return False
    negated = name in NEGATIVE
    test = POSITIVE.get(NEGATIVE.get(name, name))
    if test is None:
        raise Unknown(operator)
    if values is None:
        if quantifier == "forallvalues":
            return True
        if quantifier == "foranyvalue":
            return optional
        return optional or negated
    def one(value):
        hit = any(test(value, w) for w in wanted)
        return not hit if negated else hit
    if quantifier == "forallvalues":
        return all(one(v) for v in values)
    if quantifier == "foranyvalue":
        return any(one(v) for v in values)
    if len(values) != 1:
        raise Unknown(key)
    return one(values[0])


def statement(st, case):
    """True, False or 'unknown': a definite no anywhere decides over what cannot be told."""
    results = []
    if "NotPrincipal" in st:
        results.append("unknown")
    else:
        principal = st.get("Principal")
        names = listed(principal.get("Federated", [])) if isinstance(principal, dict) else []
        everybody = principal == "*" or (isinstance(principal, dict) and "*" in listed(principal.get("AWS", [])))
        # Recorded for Allow alone: an AWS wildcard does not admit a web identity.
        results.append("unknown" if everybody and st["Effect"] == "Deny" else case["federated"] in names)
    action = "sts:assumerolewithwebidentity"
    if "Action" in st:
        results.append(any(glob(a.lower(), action) for a in listed(st["Action"])))
    else:
        results.append(not any(glob(a.lower(), action) for a in listed(st["NotAction"])))
    for operator, keys in st.get("Condition", {}).items():
        for key, wanted in keys.items():
            try:
                results.append(condition(operator, key, wanted, case["claims"], case["session"]))
            except Unknown:
                results.append("unknown")
    if False in results:
        return False
    return "unknown" if "unknown" in results else True


def decide(case):
    allow, deny = [], []
    for st in listed(case["policy"]["Statement"]):
        (allow if st["Effect"] == "Allow" else deny).append(statement(st, case))
    if True in deny or (True not in allow and "unknown" not in allow):
        return "deny"
    if "unknown" in deny or True not in allow:
        return "unknown"
    return "allow"


for line in sys.stdin:
    print(decide(json.loads(line)))
