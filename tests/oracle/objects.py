"""Objects that give more than they seem to: bindings, roles, exposed services, guards and what add-ons do (see `counts.py`)."""

import re
from collections import defaultdict
from urllib.parse import parse_qs, urlsplit

import oracle
from bodies import in_lists, items, key_of, matches, members, parts, stored_or_sent, strings, text_of, tidy, told
from conditions import OF_ADD_ONS, OWN, WRITES, at, by_hand, is_kind, is_scale_to_nothing, user
from oracle import RBAC_GROUP, from_bodies, is_rbac

EVERYBODY = {"User/system:anonymous", "Group/system:unauthenticated", "Group/system:authenticated",
             "Group/system:serviceaccounts", "Group/system:authenticated:oauth"}
POWERFUL = "cluster-admin|admin|edit|sudoer|system:(masters|kube-.*|node|node-admin|auth-delegator|controller:.*)"
KNOWN = "view|system:(basic-user|discovery|public-info-viewer|service-account-issuer-discovery|monitoring)"


def sent(row):
    return row["last"].get("requestObject")


# --- roles ------------------------------------------------------------------------------

WRITE, CHANGE = {"create", "update", "patch", "*"}, {"update", "patch", "*"}
CONNECT = {"get", "create", "update", "patch", "delete", "*"}
POWERS = [
    # what, verbs, group, kinds; a star of a rule stands for all of them
    ("read secrets", {"get", "list", "watch", "patch", "update", "deletecollection", "*"}, "", "secrets *"),
    ("make volumes of the node", WRITE, "", "persistentvolumes *"),
    ("reach into pods", CONNECT, "",
     "pods/proxy services/proxy pods/portforward pods/* services/* */proxy */portforward *"),
    ("change namespaces", CHANGE, "", "namespaces *"),
    ("change nodes", CHANGE, "", "nodes nodes/status nodes/* */status *"),
    ("write APIs", WRITE, "apiregistration.k8s.io", "apiservices *"),
    ("write APIs", WRITE, "apiextensions.k8s.io", "customresourcedefinitions *"),
    ("use any SCC", {"use", "*"}, "security.openshift.io", "securitycontextconstraints *"),
    ("use any SCC", {"use"}, "policy", "podsecuritypolicies *"),
    ("write SCCs", WRITE, "security.openshift.io", "securitycontextconstraints *"),
    ("write SCCs", WRITE, "policy", "podsecuritypolicies"),
    ("mint tokens", {"create", "*"}, "oauth.openshift.io", "oauthaccesstokens oauthauthorizetokens *"),
    ("sign certificates", {"sign", "*"}, "certificates.k8s.io", "signers *"),
    ("approve certificates", {"approve", "*"}, "certificates.k8s.io", "signers *"),
    ("write users and groups", WRITE, "user.openshift.io", "users groups identities useridentitymappings *"),
    ("run charts", WRITE, "helm.cattle.io", "helmcharts helmchartconfigs *"),
    ("mint tokens", {"create", "*"}, "", "serviceaccounts/token serviceaccounts/* */token *"),
    ("nodes/proxy", CONNECT, "", "nodes/proxy nodes/* */proxy *"),
    ("run in pods", {"get", "create", "update", "patch", "*"}, "",
     "pods/exec pods/attach pods/ephemeralcontainers pods/* */exec */attach */ephemeralcontainers *"),
    ("make pods", WRITE, "", "pods replicationcontrollers podtemplates deploymentconfigs *"),
    ("make pods", WRITE, "apps", "deployments daemonsets statefulsets replicasets *"),
    ("make pods", WRITE, "extensions", "deployments daemonsets replicasets *"),
    ("make pods", WRITE, "batch", "jobs cronjobs *"),
    ("make pods", WRITE, "apps.openshift.io", "deploymentconfigs *"),
    ("make pods", WRITE, "argoproj.io", "rollouts *"),
    *(("make pods", WRITE, group or "", kinds + " *") for group, kinds in OF_ADD_ONS.items()),
    ("write RBAC", WRITE, RBAC_GROUP, "roles clusterroles rolebindings clusterrolebindings *"),
    ("write webhooks", {"create", "update", "patch", "delete", "deletecollection", "*"}, "admissionregistration.k8s.io",
     "mutatingwebhookconfigurations validatingwebhookconfigurations validatingadmissionpolicies "
     "validatingadmissionpolicybindings mutatingadmissionpolicies mutatingadmissionpolicybindings *"),
    ("approve certificates", CHANGE, "certificates.k8s.io",
     "certificatesigningrequests/approval certificatesigningrequests/* */approval *"),
]


def listed(rule, name):
    found = rule.get(name)
    return {one for one in found if isinstance(one, str)} if isinstance(found, list) else None


def loses_names(rule):
    """Whether it is a part of a rule that leaves fewer names to which the rule is limited."""
    return listed(rule, "verbs") is None and listed(rule, "resourceNames") == set()


def powers_of(rule):
    verbs, kinds = listed(rule, "verbs") or set(), listed(rule, "resources") or set()
    groups = listed(rule, "apiGroups")
    found = [name for name, of, group, on in POWERS
             if verbs & of and kinds & set(on.split()) and (groups is None or groups & {group, "*"})]
    found += [name for name, verb in (("every verb", "*"), ("escalate", "escalate"), ("bind", "bind")) if verb in verbs]
    found += ["impersonate"] if any(re.search(r"\bimpersonate", verb, re.ASCII) for verb in verbs) else []
    found += ["every resource"] if kinds & {"*", "*/*"} else []
    is_part = listed(rule, "verbs") is None or listed(rule, "resources") is None and listed(rule, "nonResourceURLs") is None
    found += ["part of an untold rule"] if is_part else []
    found += ["fewer limits by name"] if loses_names(rule) else []
    return tidy(found + (["every path"] if (listed(rule, "nonResourceURLs") or set()) & {"*", "/*"} else []))


def line_of(rule):
    def told(name, words):
        return None if not words else f"{name}={','.join(words)}" if name else ",".join(words)

    def words(name):
        return sorted(listed(rule, name) or [])
    groups = [group or "core" for group in words("apiGroups")]
    return " ".join(filter(None, [
        "names taken away" if loses_names(rule) else None, told("", words("verbs")), told("", words("resources")), told("apiGroups", [] if groups == ["core"] else groups),
        told("names", words("resourceNames")), told("nonResourceURLs", words("nonResourceURLs"))]))


def patched(row, member):
    """What a JSON Patch puts at a member, or into the list that it is."""
    for operation in sent(row) if isinstance(sent(row), list) else []:
        if (at(operation, "op") in ("add", "replace") and "value" in operation
                and re.fullmatch(f"/{member}(/([0-9]+|-))?", str(operation.get("path")))):
            value = operation["value"]
            yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict))


def rules_of(row):
    rules = from_bodies(row["last"], "rules", list)
    if rules is not None:
        return [rule for rule in rules if isinstance(rule, dict)]
    found = list(patched(row, "rules"))
    for operation in sent(row) if isinstance(sent(row), list) else []:
        part = re.match("/rules/(?:[0-9]+|-)/([A-Za-z]+)", str(at(operation, "path")))
        if part and at(operation, "op") in ("add", "replace") and "value" in operation:
            value = operation["value"]
            found.append({part.group(1): value if isinstance(value, list) else [value]})
    # The last name that goes makes the rule one about all.
    gone = [str(at(one, "path" if at(one, "op") == "remove" else "from")) for one in (sent(row) if isinstance(sent(row), list) else [])
            if at(one, "op") in ("remove", "move")]
    return found + [{"resourceNames": []} for path in gone if re.fullmatch("/rules/([0-9]+|-)/resourceNames(/([0-9]+|-))?", path)]


def aggregates(row):
    bodies = [one for one in (row["last"].get("responseObject"), sent(row)) if isinstance(one, dict)]
    rules = [one for one in members(bodies, "aggregationRule") if isinstance(one, dict)] + list(patched(row, "aggregationRule"))
    asked = [bool(one.get("matchLabels") or one.get("matchExpressions")) for one in items(rules, "clusterRoleSelectors")]
    return None if not asked else "some roles" if all(asked) else "every role"


def flows_into(row):
    """The default roles that the labels of a role name."""
    sign, bodies = "rbac.authorization.k8s.io/aggregate-to-", [row["last"].get("responseObject"), sent(row)]
    labels = next((at(one, "metadata", "labels") for one in bodies if isinstance(one, dict) and at(one, "metadata", "labels")), None)
    if labels is None and isinstance(sent(row), list):
        labels = {}
        for one in sent(row):
            path = at(one, "path") or ""
            if at(one, "op") in ("add", "replace") and path == "/metadata/labels":
                labels.update(one["value"] if isinstance(one["value"], dict) else {})
            elif at(one, "op") in ("add", "replace") and path.startswith("/metadata/labels/"):
                labels[path[len("/metadata/labels/"):].replace("~1", "/").replace("~0", "~")] = one["value"]
    labels = labels if isinstance(labels, dict) else {}
    return sorted(name[len(sign):] for name, value in labels.items() if name.startswith(sign) and name != sign and value == "true")


def told_rules(row):
    """The rules that a write of a role tells, each with what it gives."""
    for rule in rules_of(row):
        yield line_of(rule), powers_of(rule)
    if aggregates(row):
        yield f"the rules of {aggregates(row)}", [f"aggregate {aggregates(row)}"]
    elif not rules_of(row) and flows_into(row):
        yield "the rules that it has", [f"given to {role}" for role in flows_into(row)]


def is_role(row):
    return is_rbac(row) and row["resource"] in ("roles", "clusterroles") and row["verb"] in WRITES


def sensitive_roles(rows, _):
    return {(*key_of(row), line): told(row, powers=powers) for row in rows if is_role(row)
            for line, powers in told_rules(row) if powers}


def bound(row):
    if row["subjects"] is not None:
        return row["subjects"]
    return tidy(map(oracle.subject, patched(row, "subjects"))) if isinstance(sent(row), list) else None


def binding_of(row):
    return row["resource"], row["namespace"] or "", row["name"]


def privileged_bindings(rows, _):
    given, all_rights = defaultdict(set), set()
    for row in rows:
        if is_role(row) and row["outcome"] == "allowed" and row["name"] and not oracle.dry_run(row["last"]):
            space = [row["namespace"]] if row["resource"] == "roles" and row["namespace"] else []
            role = "/".join(["Role" if row["resource"] == "roles" else "ClusterRole", *space, row["name"]])
            lines = list(told_rules(row))
            if lines:
                given[role].update(power for _, powers in lines for power in powers)
            if any("*" in (listed(rule, "verbs") or ()) and "*" in (listed(rule, "resources") or ())
                   and "*" in (listed(rule, "apiGroups") or ()) and not listed(rule, "resourceNames") for rule in rules_of(row)):
                all_rights.add(role)
    found, made = {}, defaultdict(list)
    for row in rows:
        if is_rbac(row) and row["role_ref"] and row["outcome"] == "allowed" and row["name"] and not oracle.dry_run(row["last"]):
            made[binding_of(row)].append((row["event_time"], row["role_ref"]))
    for row in rows:
        if not (is_rbac(row) and row["resource"] in ("rolebindings", "clusterrolebindings")
                and row["verb"] in WRITES):
            continue
        to = bound(row)
        before = [role for time, role in sorted(made[binding_of(row)]) if time <= row["event_time"]] if row["name"] else []
        of_name = row["resource"] == "clusterrolebindings" and row["name"] == "cluster-admin"
        role = row["role_ref"] or (before[-1] if before else "ClusterRole/cluster-admin" if of_name else None)
        known = role
        if role and role.startswith("Role/"):
            known = "/".join(filter(None, ["Role", row["namespace"], role[len("Role/"):]]))
        why = {
            "powerful role": role and re.search(f"/({POWERFUL})$", role),
            "role with powers": role and given.get(known),
            "role with all rights": role and known in all_rights,
            "role of unknown powers": role and known not in given and not re.search(f"/({POWERFUL}|{KNOWN})$", role),
            "everybody": EVERYBODY & set(to or []),
            "system:masters": "Group/system:masters" in (to or []),
            "service account": [one for one in to or [] if re.match(
                "ServiceAccount/|User/system:serviceaccount:|Group/system:serviceaccounts:", one)],
            "nodes": [one for one in to or [] if one.startswith("User/system:node:") or one == "Group/system:nodes"],
            "unknown": not role and to is None,
            "role not told": not role and to is not None,
        }
        why = tidy(name for name, is_so in why.items() if is_so)
        if why:
            found[key_of(row)] = told(row, why=why, role_ref=role, subjects=to)
    return found


# --- what is exposed ----------------------------------------------------------------------

ROUTES = {"routes", "httproutes", "grpcroutes", "tlsroutes", "tcproutes", "udproutes", "gateways", "ingressroutes",
          "virtualservices"}


def puts_into_server(name, value):
    """Whether an annotation of an ingress is text for its controller's server, or ends the directive that it stands in."""
    snippets = (r"nginx\.ingress\.kubernetes\.io/([a-z]+-)+snippet|nginx\.(org|com)/([a-z]+-)+snippets|haproxy\.org/([a-z]+-)+snippet"
                r"|(haproxy-ingress\.github\.io|ingress\.kubernetes\.io)/config-[a-z]+")
    directives = "auth-url auth-tls-match-cn mirror-target mirror-host permanent-redirect rewrite-target app-root server-alias".split()
    return bool(re.fullmatch(snippets, name)) or (
        name in [f"nginx.ingress.kubernetes.io/{one}" for one in directives] and isinstance(value, str)
        and bool(re.search(r"[;{}\n\r]\s*[#a-z_}]|#[;{}]", value)))


def exposure(row):
    objects, kind = stored_or_sent(row), row["resource"]
    stored = row["last"].get("responseObject")
    whole = row["verb"] != "patch" or bool(at(stored, "kind")) and at(stored, "kind") != "Status"
    found = ["route"] if kind in ROUTES else []
    if kind == "services":
        found += [one for one in strings(members(objects, "spec", "type")) if one in ("NodePort", "LoadBalancer")]
        found += [f"external name {one}" for one in strings(members(objects, "spec", "externalName"))
                  if "." in one and not re.search(r"(\.svc|\.local|\.internal|localhost)\.?\Z", one.lower())]
        found += [f"external IP {one}" for one in in_lists(members(objects, "spec", "externalIPs"))]
    told_of = parts(sent(row))
    if kind == "pods":
        found += ["status of a pod"] if by_hand(row) else []
        found += [f"pod at {one}" for one in strings(
            members(told_of, "status", "podIP") + members(items(told_of, "status", "podIPs"), "ip"))]
        found += [f"ready: {at(one, 'status')}" for one in items(told_of, "status", "conditions")
                  if at(one, "type") == "Ready" and at(one, "status") is not None]
    if kind == "services" and row["verb"] != "create" and by_hand(row):
        for one in members(told_of, "spec", "selector"):
            labels = one if isinstance(one, dict) else {}
            pairs = (f"{key}={value if isinstance(value, str) else ''}" for key, value in labels.items())
            found.append("pods of nobody" if one is None else "pods of " + ",".join(pairs))
    if kind == "services" and row["subresource"] == "status":
        found += [f"load balancer at {one}" for one in strings(members(
            items(objects, "status", "loadBalancer", "ingress"), "ip"))]
    if kind == "ingresses":
        found += [f"code in {name}" for names in members(told_of or objects, "metadata", "annotations") if isinstance(names, dict)
                  for name, value in names.items() if puts_into_server(name, value)]
        for_all = members(objects, "spec", "defaultBackend") + members(objects, "spec", "backend")
        found += ["ingress for every host"] if for_all else []
        if whole and (for_all or items(objects, "spec", "rules")) and not items(objects, "spec", "tls"):
            found.append("ingress without TLS")
    if kind == "routes" and row["api_group"] != "serving.knative.dev" and whole and members(objects, "spec") and not members(objects, "spec", "tls"):
        found.append("route without TLS")
    if kind in ("endpoints", "endpointslices"):
        found += ["endpoints by hand"] if by_hand(row) else []
        found += [f"endpoint {one}" for one in strings(members(items(items(objects, "subsets"), "addresses"), "ip"))]
        found += [f"endpoint {one}" for one in in_lists(members(items(objects, "endpoints"), "addresses"))]
    return tidy(found)


def service_exposure(rows, _):
    kinds = ROUTES | {"services", "ingresses", "endpoints", "endpointslices"}

    def is_one(row):
        if row["resource"] == "pods":
            node = (user(row) or "").startswith("system:node:") and not row["impersonated_user"]
            return not row["api_group"] and row["subresource"] == "status" and (not node or by_hand(row))
        groups = {"services": [None], "endpoints": [None], "ingresses": ["networking.k8s.io", "extensions"],
                  "routes": [None, "route.openshift.io", "serving.knative.dev"]}
        return row["resource"] in kinds and (row["api_group"] or None) in groups.get(row["resource"], [row["api_group"] or None]) and (
            not row["subresource"] or (row["resource"], row["subresource"]) == ("services", "status"))
    of = [row for row in rows if row["verb"] in WRITES and is_one(row)]
    return {key_of(row): told(row, exposure=exposure(row)) for row in of if exposure(row)}


# --- guards -------------------------------------------------------------------------------

BACKUPS = {"velero.io": "backups schedules backupstoragelocations deletebackuprequests",
           "snapshot.storage.k8s.io": "volumesnapshots volumesnapshotcontents"}
SENSORS = {"tracingpolicies", "tracingpoliciesnamespaced", "kubearmorpolicies", "kubearmorhostpolicies", "kubearmorclusterpolicies"}
ENFORCE = "pod-security.kubernetes.io/enforce"
POLICIES = {"kyverno.io", "policies.kyverno.io", "constraints.gatekeeper.sh", "templates.gatekeeper.sh", "config.gatekeeper.sh"}
GUARDS = {"networkpolicies", "adminnetworkpolicies", "baselineadminnetworkpolicies", "clusternetworkpolicies",
          "poddisruptionbudgets", "resourcequotas", "limitranges", "podsecuritypolicies", "securitycontextconstraints",
          "ciliumnetworkpolicies", "ciliumclusterwidenetworkpolicies", "globalnetworkpolicies", "namespaces"}


# What says which kinds there are, and the groups of those that guard, of others than Kubernetes itself.
FRAME = ("customresourcedefinitions", "apiservices")
GUARDED = POLICIES | set(BACKUPS) | {
    "security.openshift.io", "policy.networking.k8s.io", "cilium.io", "crd.projectcalico.org", "projectcalico.org",
    "security.kubearmor.com", "security.istio.io"}


def operations(row, *ops):
    return [one for one in (sent(row) if isinstance(sent(row), list) else []) if isinstance(one, dict)
            and (not ops or one.get("op") in ops)]


def takes_away(row, pattern):
    return any(matches(pattern, " ".join(str(one[key]) for key in ("path", "from") if one.get(key)))
               for one in operations(row, "remove", "move"))


def sets(row, pattern):
    return any(re.search(pattern, str(one.get("path") or "")) for one in operations(row))


def label_goes(row):
    if takes_away(row, r"/metadata(/labels(/pod-security\.kubernetes\.io~1enforce)?)?( |$)"):
        return True
    if any(one.get("path") in ("/metadata/labels", "/metadata") and f'"{ENFORCE}"' not in text_of(one)
           for one in operations(row, "add", "replace")):
        return True
    return any(labels is None or at(labels, "$patch") in ("replace", "delete") or at(labels, ENFORCE) is None
               and ENFORCE in (labels if isinstance(labels, dict) else {})
               for labels in members(parts(sent(row)), "metadata", "labels"))


def admission_weakened(row):
    of = parts(sent(row))
    hooks = items(of, "webhooks")
    if "Ignore" in members(hooks, "failurePolicy") + members(of, "spec", "failurePolicy"):
        return "failures ignored"
    actions = [one for one in operations(row) if re.match("/spec/validationActions(/|$)", str(one.get("path")))]
    if (any('"Deny"' not in text_of(one.get("value")) for one in actions)
            or any(isinstance(one, list) and "Deny" not in one for one in members(of, "spec", "validationActions"))):
        return "refuses nothing"
    if (any(one is None or one == [] for one in members(of, "webhooks") + members(of, "spec", "validations"))
            or takes_away(row, "^/(webhooks|spec/validations)(/[0-9]+)?$")):
        return "emptied"
    selects = {"namespaceSelector", "objectSelector", "matchConditions", "matchConstraints", "matchResources", "paramRef",
               "validations"}
    path = "^/(webhooks/[0-9-]+|spec)/(namespaceSelector|objectSelector|match|rules|paramRef|validations)"
    part = not at(sent(row), "kind") and any(
        selects & set(one) for one in hooks + members(of, "spec") if isinstance(one, dict))
    return "looks at other objects" if row["verb"] == "patch" and (part or sets(row, path)) else None


DECIDES = ("clientConfig rules namespaceSelector objectSelector matchConditions matchConstraints matchResources matchPolicy paramKind "
           "paramRef policyName validations variables timeoutSeconds match exclude parameters targets preconditions "
           "evaluation webhookConfiguration").split()


def touches_rules(row):
    of = parts(sent(row))
    return (sent(row) is None or row["verb"] == "update"
            or sets(row, f"^/(webhooks|spec)(/[0-9-]+)?($|/({'|'.join(DECIDES)})(/|$))")
            or any(set(one) & set(DECIDES) for one in items(of, "webhooks") + members(of, "spec") if isinstance(one, dict)))


def opens(row):
    """Whom a network policy lets through who would not be let through without it: everybody."""
    spec, kind = members(parts(sent(row)), "spec"), row["resource"]
    for way, peers, entities in (("in", "from", "fromEntities"), ("out", "to", "toEntities")):
        for rule in items(spec, "ingress" if way == "in" else "egress"):
            if kind.startswith("cilium"):
                if {"all", "world"} & set(rule.get(entities) or []):
                    return f"lets everything {way}"
                continue
            if kind not in ("networkpolicies", "globalnetworkpolicies") or rule.get("ports") or rule.get("action", "Allow") != "Allow":
                continue
            world = any(re.search("/0+$", str(at(peer, "ipBlock", "cidr"))) and not at(peer, "ipBlock", "except")
                        for peer in rule.get(peers) or [])
            if not {"source", "destination", "protocol"} & set(rule) and (world or not rule.get(peers)):
                return f"lets everything {way}"
    return None


def only_reports(row):
    spec = members(parts(sent(row)), "spec")
    said = members(spec, "validationFailureAction") + members(spec, "enforcementAction")
    said += members(items(spec, "rules"), "validate", "failureAction")
    return any(one.lower() in ("audit", "dryrun", "warn") for one in strings(said))


DEFENDERS = (
    "falco falcosidekick tetragon tracee kubearmor sysdig twistlock aqua aquasec stackrox neuvector falcon crowdstrike wazuh "
    "auditbeat osquery lacework sentinelone s1-agent s1-helper wiz trendmicro trivy-operator uptycs deepfence tenable qualys "
    "datadog fluent-bit fluentbit fluentd vector-agent promtail filebeat elastic-agent gatekeeper kyverno opa kubewarden "
    "kubescape kubeshark-detector threatmapper runecast calico-kube-defender").split()


def is_defender(name):
    name = (name or "").lower()
    return bool(re.search(f"(^|[-.])({'|'.join(DEFENDERS)})([-.]|$)", name) or "microsoft-defender" in name
                or re.search("(^|-)(enforcer|defender)-?(ds|pod)?$", name))


def defender_weakened(row):
    of, is_patch = parts(sent(row)), row["verb"] == "patch"
    if row["verb"] in ("delete", "deletecollection"):
        return "defender deleted"
    if sent(row) is None:
        return "defender scaled" if row["subresource"] else "defender changed"
    if 0 in members(of, "spec", "replicas") or is_scale_to_nothing(row):
        return "defender scaled to nothing"
    labels = [label for one in members(of, "spec", "template", "spec", "nodeSelector") if isinstance(one, dict) for label in one]
    elsewhere = any(not re.fullmatch(r"(beta\.)?kubernetes\.io/(os|arch)", label) for label in labels)
    affinity = is_patch and members(of, "spec", "template", "spec", "affinity")
    if elsewhere or affinity or sets(row, "^/spec/template/spec/(nodeSelector|affinity)"):
        return None if row["subresource"] else "defender sent from its nodes"
    touched = members(of, "spec", "template", "spec") or sets(row, "^/spec/template/spec(/|$)")
    return "defender changed" if is_patch and touched and not row["subresource"] else None


def backup_lost(row):
    if row["resource"] == "deletebackuprequests":
        return "backup deleted" if row["verb"] == "create" else None
    if row["verb"] in ("delete", "deletecollection"):
        return "backup deleted"
    return "backups paused" if row["resource"] == "schedules" and True in members(parts(sent(row)), "spec", "paused") else None


def weakened(row):
    kind, group, of = row["resource"], row["api_group"], parts(sent(row))
    if kind in ("daemonsets", "deployments", "statefulsets"):
        named = is_defender(row["name"]) or row["verb"] == "deletecollection" and is_defender(row["namespace"])
        return defender_weakened(row) if named else None
    if row["subresource"] == "scale":
        return None
    if group in BACKUPS:
        return backup_lost(row) if kind in BACKUPS[group].split() else None
    if kind == "namespaces" and row["verb"] == "delete":
        return "namespace of a defender deleted" if is_defender(row["name"]) else None
    if kind == "namespaces":
        if row["verb"] == "patch" and label_goes(row):
            return "Pod Security label removed"
        labels = [one for one in members(of, "metadata", "labels") if isinstance(one, dict)]
        if "privileged" in [one.get(ENFORCE) for one in labels]:
            return "Pod Security set to privileged"
        ignored = any(isinstance(one.get("admission.gatekeeper.sh/ignore"), str) for one in labels)
        if ignored and by_hand(row):
            return "left out by Gatekeeper"
        opa = "ignore" in [one.get("openpolicyagent.org/webhook") for one in labels]
        return "left out by OPA" if opa and by_hand(row) else None
    if kind in FRAME:
        return "deleted with all of its kind" if row["verb"] in ("delete", "deletecollection") else None
    if row["verb"] in ("delete", "deletecollection"):
        return "deleted"
    if kind in SENSORS:
        return "changed" if row["verb"] in ("update", "patch") else None
    if group == "config.gatekeeper.sh" and ('"excludedNamespaces"' in text_of(sent(row)) or sets(row, "/excludedNamespaces(/|$)")):
        return "namespaces left out"
    if opens(row) and kind != "policyexceptions":
        return opens(row)
    if row["verb"] == "create" or kind == "policyexceptions":
        return "exception made" if kind == "policyexceptions" else None
    if "networkpolic" in kind or kind in ("poddisruptionbudgets", "resourcequotas", "limitranges") or group == "security.istio.io":
        told = members(of, "spec") or row["verb"] == "update" or sent(row) is None or sets(row, "^/spec")
        return "changed" if told else None
    if group == "admissionregistration.k8s.io" and admission_weakened(row):
        return admission_weakened(row)
    if group != "config.gatekeeper.sh" and only_reports(row):
        return "only reports"
    return "changed" if group == "config.gatekeeper.sh" or by_hand(row) and touches_rules(row) else None


# --- the labels of namespaces, before and after ----------------------------------------------

def level_of(namespace):
    level = at(namespace, "metadata", "labels", ENFORCE)
    return level if isinstance(level, str) else ""


def level_left(row, is_owner):
    """The level that a namespace has after a request, or as its answer shows it; None when that is not told."""
    stored, verb = row["last"].get("responseObject"), row["verb"]
    if at(stored, "kind") == "Namespace":
        return level_of(stored)
    if verb in ("create", "update") and isinstance(at(sent(row), "metadata"), dict):
        return level_of(sent(row))
    named = [level_of(one) for one in parts(sent(row))] if verb == "patch" else []
    if any(named):
        return max(named)
    return "" if verb == "patch" and is_owner and at(sent(row), "kind") == "Namespace" else None


def levels_before(rows):
    """Of each write of a namespace: the level it had, and the one that it has then."""
    def manager(row):
        return row["user_name"], parse_qs(urlsplit(row["request_uri"]).query).get("fieldManager", [None])[0]

    known, found = {}, {}
    about = [row for row in rows if is_kind(row, "namespaces") and row["name"] and row["subresource"] in (None, "status", "finalize")]
    for row in sorted(about, key=lambda row: row["event_time"]):
        before, by = known.get(row["name"], (None, None))
        found[key_of(row)] = before, level_left(row, by == manager(row))
        tells = row["outcome"] == "allowed" and row["verb"] in ("get", "create", "update", "patch") and not oracle.dry_run(row["last"])
        level = level_left(row, False) if tells else None
        if level is not None:
            known[row["name"]] = level, None if row["verb"] == "get" else manager(row)
    return found


def lowered(row, levels):
    before, left = levels.get(key_of(row), (None, None))
    rank = ["privileged", "baseline", "restricted"]

    def height(level):
        return rank.index(level) if level in rank else 0
    told = weakened(row)
    if row["verb"] == "delete" or before is None or left is None:
        return told
    if height(left) < height(before):
        return f"Pod Security lowered to {left}" if left else "Pod Security label removed"
    return None if before == left == "privileged" and told == "Pod Security set to privileged" else told


def guards_removed(rows, _):
    levels = levels_before(rows)

    def is_guard(row):
        mesh = row["api_group"] == "security.istio.io" and row["resource"] in ("authorizationpolicies", "peerauthentications")
        kinds = GUARDS | SENSORS | {"daemonsets", "deployments", "statefulsets"}
        frame = row["resource"] in FRAME and (
            row["verb"] == "deletecollection" or (row["name"] or "").partition(".")[2] in GUARDED)
        return (row["resource"] in kinds or frame or row["api_group"] in {*POLICIES, *BACKUPS, "admissionregistration.k8s.io"} or mesh) and (
            row["verb"] in ("update", "patch", "delete", "deletecollection")
            or row["verb"] == "create" and (
                row["resource"] in ("policyexceptions", "deletebackuprequests") or "networkpolic" in row["resource"]
                or row["api_group"] == "config.gatekeeper.sh"
                or row["resource"] == "namespaces" and row["outcome"] != "failed")
        ) and (row["subresource"] in (None, "scale") or row["resource"] == "namespaces" and row["subresource"] in ("status", "finalize"))
    return {key_of(row): told(row, removal=lowered(row, levels)) for row in rows if is_guard(row) and lowered(row, levels)}


# --- credentials in ConfigMaps --------------------------------------------------------------

LOOKS = {
    "private key": "-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "AWS key": r"\b(AKIA|ASIA)[0-9A-Z]{16}\b|aws_secret_access_key|aws_access_key_id",
    "token": r"\beyJ[A-Za-z0-9_-]{8,}\.|\bgh[pousr]_[A-Za-z0-9]{20,}|\bxox[abprs]-|\bglpat-|redacted:[0-9a-f]{16}",
    "Google key": r'\bAIza[0-9A-Za-z_-]{35}|"private_key_id"',
    "password": r"""(?i)(passw(or)?d|passphrase|pwd|(^|[_.-])(pass|pw))["']?\s*[:=]\s*["']?[^\s"'$<{]""",
    "secret": (r"(?i)(api_?key|client_?secret|access_?token|auth_?token|secret_?key|private_?key|encryption_?key)"
               r"""["']?\s*[:=]\s*["']?[^\s"'$<{]"""),
    "password in URL": r"[a-z]://[^/\s:@]+:[^/\s:@$<{]+@",
}


def looks(key, value):
    """What a value looks like. A token whose name tells what it is may be withheld in the case, and is told by its name."""
    text = f"{key}={value if isinstance(value, str) else ''}"
    found = [sign for sign, pattern in LOOKS.items() if re.search(pattern, text, re.ASCII)]
    return found if re.search(r"\b(gh[pousr]_|xox[abprs]-|glpat-)", text) else [one for one in found if one != "token"] or found


def configmap_credentials(rows, _):
    found = {}
    for row in rows:
        if row["resource"] == "configmaps" and row["verb"] in WRITES:
            objects = parts(sent(row)) + parts(row["last"].get("responseObject"))
            data = [pair for one in members(objects, "data") if isinstance(one, dict) for pair in one.items()]
            signs = tidy(f"{sign} in {key}" for key, value in data for sign in looks(key, value))
            if signs:
                found[key_of(row)] = told(row, signs=signs)
    return found


# --- past GitOps ------------------------------------------------------------------------------

def is_gitops(row):
    """By name and client; where it works from is told with what hides nobody, in tests of their own."""
    return (re.match(r"system:serviceaccount:((argocd|argo-cd|openshift-gitops):.*argocd-application-controller$|"
                     r"flux-system:(kustomize|helm)-controller$)", user(row))
            and re.match("argocd|kustomize-controller|helm-controller", row["user_agent"] or "")
            and not row["impersonated_user"] and "system:masters" not in (row["last"]["user"].get("groups") or []))


def gitops_drift(rows, _):
    of = [row for row in rows if row["verb"] in (*WRITES, "delete") and row["resource"]
          and row["subresource"] not in ("status", "proxy", "exec", "attach", "portforward")]

    def thing(row):
        return row["api_group"], row["resource"], row["namespace"], row["name"]
    theirs = {thing(row) for row in of if row["name"] and is_gitops(row) and row["outcome"] == "allowed"}
    found = {}
    for row in of:
        if is_gitops(row):
            continue
        text = text_of(row["last"].get("responseObject")) + "\n" + text_of(sent(row))
        signs = {
            "Argo CD label": '"argocd.argoproj.io/' in text,
            "Argo CD field manager": re.search(r'"manager":"argocd-', text),
            "Flux label": re.search(r'"(kustomize|helm)\.toolkit\.fluxcd\.io/', text),
            "Flux field manager": re.search('"manager":"(kustomize|helm)-controller"', text),
            "written by GitOps": thing(row) in theirs,
        }
        signs = tidy(name for name, is_so in signs.items() if is_so)
        if signs:
            found[key_of(row)] = {"managed_by": signs, "user_name": row["user_name"], "outcome": row["outcome"]}
    return found


ROW = ["event_time", "audit_id"]
ACCOUNTS = {
    # name: (arguments, columns of the key, definition), as in `accounts.py`
    "privileged-bindings": (OWN, ROW, privileged_bindings),
    "sensitive-roles": (OWN, [*ROW, "rule"], sensitive_roles),
    "service-exposure": (OWN, ROW, service_exposure),
    "guards-removed": (OWN, ROW, guards_removed),
    "configmap-credentials": ([], ROW, configmap_credentials),
    "gitops-drift": (OWN, ROW, gitops_drift),
}
