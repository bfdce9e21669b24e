-- title = "What was deleted"
-- question = "Who deleted which objects, and how many at once?"
-- group = "impact"
-- words = ["deleted", "removed", "destroyed", "cleanup"]
-- further = ["events-deleted", "mass-deletions"]
-- kind = "question"
-- severity = "info"
-- attack = ["T1485", "T1489"]
-- needs = [
--     { verbs = ["delete", "deletecollection"], level = "Metadata" },
--     { verbs = ["deletecollection"], level = "RequestResponse", tells = "what a deletecollection hit" },
--     { verbs = ["patch", "update"], level = "RequestResponse", tells = "what went with its last finalizer" },
-- ]
-- noise = """
-- Controllers delete pods and ReplicaSets of every rollout; kubelets delete a pod a second time when its \
-- containers are gone; controllers take finalizers away, which deletes what was marked (`deleted` is empty where only an \
-- answer could tell)."""
--
-- [[examples]]
-- log = "hardened"
-- rows = 134
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "bob"]
-- rows = 2
--
-- [[examples]]
-- log = "hardened"
-- arguments = ["--user", "nobody"]
-- rows = 0
SELECT
    event_time, user_name, impersonated_user, verb, resource, subresource, namespace, name, deleted, selector, outcome,
    status_code, dry_run, source_ip, audit_id, cluster
FROM deletions
WHERE filters()
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST
