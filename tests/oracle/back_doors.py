"""Objects that open back doors, and what each gives (see `counts.py`)."""

import re

from bodies import has_body, in_lists, key_of, members, parts, stored_or_sent, strings, text_of, tidy, told
from conditions import OWN, WRITES, at, user

# --- kinds ---------------------------------------------------------------------------------

KINDS = {
    "volume": "persistentvolumes", "api": "apiservices", "conversion": "customresourcedefinitions",
    "trust": "clustertrustbundles", "certificate": "podcertificaterequests", "scc": "securitycontextconstraints podsecuritypolicies",
    "chart": "helmcharts helmchartconfigs", "device": "resourceclaims resourceclaimtemplates deviceclasses",
    "class": "storageclasses csidrivers runtimeclasses podpresets", "node": "nodes", "audit": "auditsinks",
    "identity": "serviceaccounts oauthclients oauthclientauthorizations oauths oauthaccesstokens oauthauthorizetokens users groups identities "
                "useridentitymappings",
}
ADD_ONS = [
    # what, groups, kinds; nothing stands for all of the group
    ("delivery", r"argoproj\.io", "applications applicationsets appprojects"),
    ("delivery", r".*\.toolkit\.fluxcd\.io", "gitrepositories ocirepositories helmrepositories buckets kustomizations helmreleases"),
    ("delivery", r"operators\.coreos\.com", "subscriptions catalogsources installplans"),
    ("delivery", r"olm\.operatorframework\.io", "clusterextensions clustercatalogs"),
    ("delivery", r"pkg\.crossplane\.io", "providers configurations functions"),
    ("delivery", r"fleet\.cattle\.io", "gitrepos bundles"), ("delivery", r"catalog\.cattle\.io", "clusterrepos"),
    ("delivery", r"kappctrl\.k14s\.io|packaging\.carvel\.dev", "apps packageinstalls packagerepositories"),
    ("delivery", r"config\.openshift\.io", "imagedigestmirrorsets imagetagmirrorsets imagecontentpolicies"),
    ("delivery", r"operator\.openshift\.io", "imagecontentsourcepolicies"),
    ("machine", r"tuned\.openshift\.io", "tuneds"), ("machine", r"upgrade\.cattle\.io", "plans"),
    ("machine", r"bootstrap\.cluster\.x-k8s\.io", "kubeadmconfigtemplates"),
    ("machine", r"controlplane\.cluster\.x-k8s\.io", "kubeadmcontrolplanes"),
    ("store", r"external-secrets\.io|secrets-store\.csi\.x-k8s\.io|secrets\.hashicorp\.com", ""),
    ("certificate", r"cert-manager\.io", "issuers clusterissuers"),
    ("backup", r"velero\.io", "backups restores downloadrequests backupstoragelocations"),
    ("backup", r"snapshot\.storage\.k8s\.io", "volumesnapshots volumesnapshotcontents"),
    ("machine", r"machineconfiguration\.openshift\.io", "machineconfigs kubeletconfigs containerruntimeconfigs"),
    ("machine", r"karpenter\..*", "nodepools ec2nodeclasses aksnodeclasses gcenodeclasses"),
    ("identity", r"management\.cattle\.io",
     "globalrolebindings clusterroletemplatebindings projectroletemplatebindings globalroles roletemplates tokens"),
    ("mesh", r"networking\.istio\.io", "envoyfilters"), ("mesh", r"extensions\.istio\.io", "wasmplugins"),
    ("mesh", r"gateway\.networking\.k8s\.io", "referencegrants"),
    ("audit", r"(config|operator)\.openshift\.io", "apiservers kubeapiservers"),
]


def add_on(row):
    for what, group, kinds in ADD_ONS:
        if re.fullmatch(group, row["api_group"] or "") and (not kinds or row["resource"] in kinds.split()):
            return what
    return None


def about(row):
    known = [what for what, kinds in KINDS.items() if row["resource"] in kinds.split()]
    # Add-ons have kinds of these names, which are something else.
    of = {"nodes": [""], "persistentvolumes": [""], "serviceaccounts": [""], **dict.fromkeys(
        ("users", "groups", "identities"), ["", "user.openshift.io", "management.cattle.io"])}
    known = [] if (row["api_group"] or "") not in of.get(row["resource"], [row["api_group"] or ""]) else known
    return known[0] if known and known[0] != "identity" else add_on(row) or (known or [None])[0]


def is_by_hand(row):
    """Whoever is no account of a program, or uses one with a tool of people's."""
    tool = re.match("(?i)(kubectl|oc|k9s|curl|wget|python)", row["user_agent"] or "")
    return is_person(row) and (tool or not user(row).startswith("system:serviceaccount:"))


def is_person(row):
    """Who is no component by name, or in a group or behind another name that none has."""
    name, groups, other = user(row), row["last"]["user"].get("groups") or [], row["impersonated_user"]
    named = name.startswith("system:")
    by_hand = name.startswith("system:serviceaccount:") and re.match("(?i)(kubectl|oc|k9s|curl|wget|python)", row["user_agent"] or "")
    return (not named or by_hand or name == "system:anonymous" or "system:masters" in groups and name != "system:apiserver"
            or bool(other) and not other.startswith("system:"))


# --- what they give ---------------------------------------------------------------------------

def asks_for(row):
    """Of an add-on: what its controllers write beside what was asked for asks for nothing."""
    sent = row["last"].get("requestObject")
    if row["verb"] == "patch" and sent is not None:
        operations = sent if isinstance(sent, list) else []
        by_path = any(re.match("/(spec|operation)", str(at(one, "path"))) for one in operations)
        if not by_path and not (isinstance(sent, dict) and {"spec", "operation"} & set(sent)):
            return None
    specs = members(stored_or_sent(row), "spec")
    places = strings(members(specs, "url") + members(specs, "repoURL") + members(specs, "endpoint")
                     + members(specs, "repo") + members(specs, "image") + members(specs, "package")
                     + members(specs, "source", "repoURL"))
    profiles = strings(members(specs, "audit", "profile"))
    return f"takes from {places[0]}" if places else f"audit profile {profiles[0]}" if profiles else "written"


def volume(specs):
    paths = strings(members(specs, "hostPath", "path") + members(specs, "local", "path"))
    drivers = strings(members(specs, "csi", "driver"))
    if paths or drivers:
        return f"path of the node {paths[0]}" if paths else f"driver {drivers[0]}"
    return "path of the node" if members(specs, "hostPath") + members(specs, "local") else None


def node(row):
    """What a write of a node changes, by the request."""
    if row["verb"] != "patch":
        return "replaced" if row["verb"] == "update" else None
    asked = row["last"].get("requestObject")
    if asked is None:
        return "changed"
    paths = [str(one.get("path") or "") for one in asked if isinstance(one, dict)] if isinstance(asked, list) else []

    def changes(section, member):
        ways = ("/" + section, f"/{section}/{member}")
        return members(parts(asked), section, member) or any(path in ways or path.startswith(ways[1] + "/") for path in paths)
    changed = {"labels": ("metadata", "labels"), "taints": ("spec", "taints"), "scheduling": ("spec", "unschedulable")}
    return ", ".join(name for name, (section, member) in changed.items() if changes(section, member)) or None


CLOUDS = ("eks.amazonaws.com/role-arn", "iam.gke.io/gcp-service-account", "azure.workload.identity/client-id")


def in_the_cloud(row):
    """As whom the pods of a service account act there, where the write says it."""
    sent = members(parts(row["last"].get("requestObject")), "metadata", "annotations")
    roles = strings(role for name in CLOUDS for role in members(sent, name))
    return f"acts in the cloud as {roles[0]}" if roles else None


def gives(row):
    kind, objects = row["resource"], stored_or_sent(row)
    specs = members(objects, "spec")
    if kind == "serviceaccounts":
        return in_the_cloud(row)
    if row["subresource"] == "status":
        status = members(parts(row["last"].get("requestObject")), "status")
        return "status: where its kubelet is" if members(status, "addresses") or members(status, "daemonEndpoints") else "status"
    if not has_body(row):
        return "not told: no body was logged"
    if add_on(row) in ("delivery", "store", "backup", "certificate", "machine", "mesh", "audit"):
        return asks_for(row)
    if kind == "apiservices":
        behind = ["/".join(strings([one.get("namespace")]) + strings([one.get("name")])) for one in members(specs, "service")
                  if isinstance(one, dict)]
        return "served by " + ", ".join(behind)
    if kind == "customresourcedefinitions":
        sends = "Webhook" in members(specs, "conversion", "strategy") or members(specs, "conversion", "webhook")
        return "objects are sent to a webhook" if sends else None
    if kind in ("resourceclaims", "resourceclaimtemplates"):
        return "adminAccess" if any('"adminAccess":true' in text_of(one) for one in objects) else None
    if kind == "securitycontextconstraints":
        names = in_lists(members(objects, "users") + members(objects, "groups"))
        return ", ".join(tidy([*names, "policy changed"]))
    if kind in ("persistentvolumes", "nodes"):
        return volume(specs) if kind == "persistentvolumes" else node(row)
    return "devices of nodes" if kind == "deviceclasses" else "written"


def sensitive_objects(rows, _):
    found = {}
    for row in rows:
        of_status = (row["resource"], row["subresource"]) == ("nodes", "status")
        # Put as a whole by the client of a service account, and what was put nobody logged.
        unlogged = row["verb"] == "update" and not has_body(row) and user(row).startswith("system:serviceaccount:")
        of_a_person = of_status and (is_person(row) or unlogged or row["verb"] == "patch" and not (row["user_name"] or "").startswith("system:node:")
                                     and "where" in gives(row))
        # The login server of OpenShift writes these all day.
        by_login = row["resource"] in ("oauthaccesstokens", "oauthauthorizetokens") and not is_by_hand(row)
        if row["verb"] in WRITES and about(row) and (not row["subresource"] and not by_login or of_a_person) and gives(row):
            found[key_of(row)] = told(row, about=about(row), gives=gives(row))
    return found


ACCOUNTS = {
    # name: (arguments, columns of the key, definition), as in `accounts.py`
    "sensitive-objects": (OWN, ["event_time", "audit_id"], sensitive_objects),
}
