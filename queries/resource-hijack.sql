-- title = "Hints of hijacked resources"
-- question = "Which workloads look like miners, or ask for GPUs or a great many CPUs?"
-- group = "impact"
-- words = ["miner", "mining", "cryptominer", "cpu"]
-- kind = "detection"
-- severity = "high"
-- attack = ["T1496.001"]
-- resources = ["makes_pods()"]
-- needs = [
--     {
--         resource = ["pods", "deployments", "daemonsets", "statefulsets", "replicasets", "jobs", "cronjobs"],
--         verbs = ["create", "update", "patch"],
--         level = "Request",
--     },
-- ]
-- noise = """
-- Machine learning asks for GPUs, databases for CPUs: raise `cpus`. Left out unless `-p own=true`: pods \
-- that controllers make."""
--
-- [[parameters]]
-- name = "cpus"
-- type = "integer"
-- default = 16
-- meaning = "CPUs of one container that are shown"
--
-- [[examples]]
-- log = "workloads"
-- rows = 1
--
-- [[examples]]
-- log = "production"
-- rows = 1
--
-- [[examples]]
-- log = "hardened"
-- rows = 0
WITH specs AS (
    SELECT
        *,
        tidy(
            list_transform(
                miner_signs(array_to_string(images || commands || containers, chr(10))), lambda word: 'miner: ' || word
            )
            || list_transform(
                list_filter(resource_amounts, lambda amount: regexp_matches(amount, '(?i)(gpu|/cuda|rocm|mig-)[^=]*=')),
                lambda amount: 'GPU: ' || amount
            )
            || list_transform(
                list_filter(resource_amounts, lambda amount: starts_with(amount, 'cpu=')
                    AND coalesce(quantity(amount[5:]) >= $cpus, false)),
                lambda amount: 'CPU: ' || amount
            )
        ) AS signs
    FROM workload_specs
    WHERE not_own() AND filters()
)
SELECT
    event_time, user_name, impersonated_user, verb, resource, namespace, name, signs, images, commands, outcome, dry_run,
    source_ip, audit_id, cluster
FROM specs
WHERE len(signs) > 0
ORDER BY
    event_time, audit_id, verb NULLS FIRST, request_uri NULLS FIRST, source_ip NULLS FIRST,
    resource NULLS FIRST, api_group NULLS FIRST, user_name NULLS FIRST
