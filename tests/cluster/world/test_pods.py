"""A pod's life on the node: what it is told, how it ends, and what is said of its end."""

from __future__ import annotations

import signal

import pytest

from tests.support.kube.namespace import Namespace, condition_of, state_of
from tests.support.kube.node.node import Node
from tests.support.kube.objects import a_job, a_pod, a_script
from tests.support.kube.resources import Json
from tests.support.waiting import wait_for

ENDLESS = "while :; do sleep 0.05; done"
DEAF = f"trap '' TERM; {ENDLESS}"


def ended(namespace: Namespace, job: str) -> tuple[Json, Json]:
    """The pod of a Job, and how its container ended."""
    pod = namespace.pod(job, lambda pod: pod["status"]["phase"] in ("Succeeded", "Failed"))
    return pod, state_of(pod)["terminated"]


@pytest.mark.parametrize(
    ("script", "code", "reason", "phase"),
    [
        # a doubled dollar is one for the kubelet
        ("exit 0", 0, "Completed", "Succeeded"),
        ("exit 65", 65, "Error", "Failed"),
        ("kill -TERM $$$$", 143, "Error", "Failed"),
        ("kill -SEGV $$$$", 139, "Error", "Failed"),
    ],
)
def test_the_end_is_told_as_it_was(
    namespace: Namespace, node: Node, script: str, code: int, reason: str, phase: str
) -> None:
    namespace.create(a_job("ends", a_script(script)))
    pod, end = ended(namespace, "ends")
    assert (end["exitCode"], end["reason"], pod["status"]["phase"]) == (code, reason, phase)
    assert end["startedAt"] <= end["finishedAt"]


def test_a_program_that_is_not_there(namespace: Namespace, node: Node) -> None:
    template = a_script("")
    template["spec"]["containers"][0]["command"] = ["no-such-program"]
    namespace.create(a_job("absent", template))
    _, end = ended(namespace, "absent")
    assert (end["exitCode"], end["reason"]) == (128, "StartError")
    assert 'exec: "no-such-program": executable file not found in $PATH' in end["message"]


def test_the_downward_api(namespace: Namespace, node: Node) -> None:
    fields = ("metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels['team']", "spec.nodeName")
    env: dict[str, object] = {f"F{number}": {"fieldRef": {"fieldPath": path}} for number, path in enumerate(fields)}
    env["F5"] = {"fieldRef": {"fieldPath": "metadata.annotations['note']"}}
    env["F6"] = {"fieldRef": {"fieldPath": "metadata.labels['batch.kubernetes.io/job-name']"}}
    env["MEMORY"] = {"resourceFieldRef": {"resource": "limits.memory"}}
    env["MEBIBYTES"] = {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}
    env["CPU"] = {"resourceFieldRef": {"resource": "limits.cpu"}}
    env["BOTH"] = "$(F0) of $(F1), not $(THAT) and not $$(F0)"
    script = "printenv F0 F1 F2 F3 F4 F5 F6 MEMORY MEBIBYTES CPU BOTH"
    labels, notes = {"team": "sales"}, {"note": "with care"}
    template = a_script(script, env=env, memory="192Mi", labels=labels, annotations=notes)
    namespace.create(a_job("told", template))
    pod, _ = ended(namespace, "told")
    metadata = pod["metadata"]
    assert namespace.api.log(namespace.name, metadata["name"]).splitlines() == [
        metadata["name"],
        namespace.name,
        metadata["uid"],
        "sales",
        node.name,
        "with care",
        "told",
        str(192 << 20),
        "192",
        "16",  # no limit is the node's own
        f"{metadata['name']} of {namespace.name}, not $(THAT) and not $(F0)",
    ]


def test_secrets_and_config_maps_arrive_as_variables_and_files(namespace: Namespace, node: Node) -> None:
    namespace.create({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"url": "s3"}})
    namespace.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "words"}, "data": {"a": "1"}})
    env: dict[str, object] = {
        "URL": {"secretKeyRef": {"name": "keys", "key": "url"}},
        "MAYBE": {"configMapKeyRef": {"name": "words", "key": "none", "optional": True}},
        "FILE": "/etc/app/words/a",
    }
    script = """echo "$URL ${MAYBE-unset} $APP_a"; cat /etc/app/words/a "$FILE"; echo; cat /etc/app/keys/secret-url
        echo; echo hello > /tmp/x; cat /tmp/x "$TMPDIR/x"; cat /etc/podinfo/labels"""
    volumes = [
        {"name": "words", "configMap": {"name": "words"}},
        {"name": "keys", "secret": {"secretName": "keys", "items": [{"key": "url", "path": "secret-url"}]}},
        {"name": "scratch", "emptyDir": {}},
        {"name": "info", "downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
    ]
    mounts = {"/etc/app/words": "words", "/etc/app/keys": "keys", "/tmp": "scratch", "/etc/podinfo": "info"}
    fields = {"envFrom": [{"prefix": "APP_", "configMapRef": {"name": "words"}}]}
    labels = {"team": "sales"}
    namespace.create(
        a_job("fed", a_script(script, env=env, mounts=mounts, fields=fields, volumes=volumes, labels=labels))
    )
    pod, end = ended(namespace, "fed")
    printed = namespace.api.log(namespace.name, pod["metadata"]["name"])
    assert end["exitCode"] == 0, printed
    assert printed.splitlines()[:5] == ["s3 unset 1", "11", "s3", "hello", "hello"]
    assert 'team="sales"' in printed


def test_a_pod_asks_the_api_server_as_its_service_account(namespace: Namespace, node: Node) -> None:
    script = (
        'curl -s --cacert /var/run/secrets/kubernetes.io/serviceaccount/ca.crt -H "Authorization: Bearer '
        '$(cat /var/run/secrets/kubernetes.io/serviceaccount/token)" '
        "https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/api/v1/namespaces/default/secrets"
    )
    template = a_script(script)
    template["spec"]["automountServiceAccountToken"] = True
    namespace.create(a_job("asking", template))
    pod, _ = ended(namespace, "asking")
    printed = namespace.api.log(namespace.name, pod["metadata"]["name"])
    assert f'User \\"system:serviceaccount:{namespace.name}:default\\" cannot list resource' in printed


def test_a_missing_secret_is_waited_for(namespace: Namespace, node: Node) -> None:
    env = {"URL": {"secretKeyRef": {"name": "later", "key": "url"}}}
    namespace.create(a_job("patient", a_script('echo "$URL"', env=env)))
    pod = namespace.pod("patient", lambda pod: "waiting" in _state(pod) and _state(pod)["waiting"].get("message"))
    assert _state(pod)["waiting"] == {"reason": "CreateContainerConfigError", "message": 'secret "later" not found'}
    namespace.create({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "later"}, "stringData": {"url": "s3"}})
    assert namespace.finished("patient")[0] == "Complete"


def _state(pod: Json) -> Json:
    state: Json = state_of(pod) if pod["status"].get("containerStatuses") else {}
    return state


@pytest.mark.parametrize(
    "reasons",
    [
        ("ContainerCreating",),
        ("ErrImagePull", "ImagePullBackOff"),
        ("InvalidImageName",),
        ("ErrImageNeverPull",),
        ("CreateContainerConfigError",),
        ("CreateContainerError",),
        ("RunContainerError",),
    ],
)
def test_what_keeps_a_container_from_starting(namespace: Namespace, node: Node, reasons: tuple[str, ...]) -> None:
    hold = node.hold(*reasons, labels={"app": "held"})
    namespace.create(a_job("held", a_script("exit 0", labels={"app": "held"})))
    namespace.create(a_job("free", a_script("exit 0")))

    def waits(pod: Json) -> bool:
        return bool(_state(pod).get("waiting", {}).get("reason") == reasons[-1])

    pod = namespace.pod("held", waits)
    assert namespace.finished("free")[0] == "Complete"
    assert (pod["status"]["phase"], waits(namespace.pod("held"))) == ("Pending", True)
    if reasons != ("ContainerCreating",):
        said = wait_for(
            lambda: [e for e in namespace.events(pod["metadata"]["name"]) if e["type"] == "Warning"], "events"
        )
        assert state_of(pod)["waiting"]["message"] in [event["message"] for event in said]
    hold.release()
    assert namespace.finished("held")[0] == "Complete"


def test_a_pod_that_never_started_can_be_deleted(namespace: Namespace, node: Node) -> None:
    node.hold("ImagePullBackOff")
    namespace.create(a_pod("stuck", a_script("exit 0")))
    wait_for(lambda: _state(namespace.get("pods", "stuck")).get("waiting"), "it to wait")
    namespace.delete("pods", "stuck")
    wait_for(lambda: not namespace.exists("pods", "stuck"), "it to go", every=0.05)


def test_deletion_asks_and_waits_for_the_grace_period(namespace: Namespace, node: Node) -> None:
    script = f"trap 'echo asked; sleep 0.5; echo done; exit 4' TERM; {ENDLESS}"
    namespace.create(a_job("polite", a_script(script, grace=60), backoff_limit=0))
    name = namespace.running("polite")
    with namespace.api.follow(namespace.name, name) as lines:
        namespace.delete("pods", name)
        assert list(lines) == ["asked", "done"]
    outcome, job = namespace.finished("polite")
    assert (outcome, job["status"]["failed"]) == ("Failed", 1)


def test_who_does_not_listen_is_killed_when_the_grace_period_is_over(namespace: Namespace, node: Node) -> None:
    with namespace.api.watch("pods", namespace.name) as changes:
        namespace.create(a_pod("deaf", a_script(f"echo up; {DEAF}", grace=2)))
        node.pod(namespace.name, "deaf")
        wait_for(lambda: namespace.api.log(namespace.name, "deaf"), "its trap to be set")
        namespace.delete("pods", "deaf")
        last = {}
        for change in changes:
            if change["type"] == "DELETED":
                break
            last = change["object"]
    end = state_of(last)["terminated"]
    assert (end["exitCode"], end["reason"], last["status"]["phase"]) == (137, "Error", "Failed")
    assert end["finishedAt"] >= last["metadata"]["deletionTimestamp"]


def test_a_second_deletion_can_shorten_the_grace_period(namespace: Namespace, node: Node) -> None:
    namespace.create(a_pod("deaf", a_script(f"echo up; {DEAF}", grace=600)))
    process = node.pod(namespace.name, "deaf")
    wait_for(lambda: namespace.api.log(namespace.name, "deaf"), "its trap to be set")
    namespace.delete("pods", "deaf")
    wait_for(lambda: "deletionTimestamp" in process.object["metadata"], "the node to know")
    assert process.pids()
    namespace.delete("pods", "deaf", grace=1)
    wait_for(lambda: not process.pids(), "it to be killed")


def test_a_forced_deletion_takes_the_object_and_not_the_process(namespace: Namespace, node: Node) -> None:
    namespace.create(a_pod("ghost", a_script(f"echo up; {DEAF}", grace=2)))
    process = node.pod(namespace.name, "ghost")
    wait_for(lambda: namespace.api.log(namespace.name, "ghost"), "its trap to be set")
    namespace.delete("pods", "ghost", grace=0)
    assert not namespace.exists("pods", "ghost")
    assert process.pids()
    wait_for(lambda: not process.pids(), "its own grace period to end")


def test_a_pod_under_the_same_name_is_another_one(namespace: Namespace, node: Node) -> None:
    namespace.create(a_pod("twice", a_script(f"echo first; {DEAF}", grace=20)))
    first = node.pod(namespace.name, "twice")
    wait_for(lambda: namespace.api.log(namespace.name, "twice"), "its trap to be set")
    namespace.delete("pods", "twice", grace=0)
    namespace.create(a_pod("twice", a_script("exit 0")))
    wait_for(lambda: namespace.get("pods", "twice")["status"]["phase"] == "Succeeded", "the second one")
    assert first.pids()


def test_a_hook_before_the_end(namespace: Namespace, node: Node) -> None:
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "echo before"]}}}
    script = f"trap 'echo asked; exit 0' TERM; echo up; {ENDLESS}"
    namespace.create(a_job("hooked", a_script(script, fields={"lifecycle": hook})))
    name = namespace.running("hooked")
    with namespace.api.follow(namespace.name, name) as lines:
        assert next(lines) == "up"
        namespace.delete("jobs", "hooked")
        assert list(lines) == ["before", "asked"]


def test_a_hook_that_hangs_is_given_up(namespace: Namespace, node: Node) -> None:
    hook = {"preStop": {"exec": {"command": ["sleep", "300"]}}}
    namespace.create(a_pod("hung", a_script(f"echo up; {ENDLESS}", grace=1, fields={"lifecycle": hook})))
    process = node.pod(namespace.name, "hung")
    namespace.delete("pods", "hung")
    wait_for(lambda: not namespace.exists("pods", "hung"), "it to go")
    assert process.pids() == []


def test_out_of_memory_on_command(namespace: Namespace, node: Node) -> None:
    namespace.create(a_job("big", a_script("sleep 300 & wait")))
    process = node.pod(namespace.name, namespace.running("big"))
    process.run_out_of_memory()
    pod, end = ended(namespace, "big")
    assert (end["exitCode"], end["reason"], pod["status"]["phase"]) == (137, "OOMKilled", "Failed")
    assert process.pids() == []


def test_who_takes_more_than_its_limit_is_killed(namespace: Namespace, node: Node) -> None:
    script = "exec python -c 'import time; kept = bytearray(200 << 20); time.sleep(300)'"
    namespace.create(a_job("greedy", a_script(script, memory="64Mi")))
    _, end = ended(namespace, "greedy")
    assert (end["exitCode"], end["reason"]) == (137, "OOMKilled")


def test_success_with_the_reason_out_of_memory(namespace: Namespace, node: Node) -> None:
    namespace.create(a_job("odd", a_script(f"trap 'exit 0' USR1; echo up; {ENDLESS}")))
    name = namespace.running("odd")
    process = node.pod(namespace.name, name)
    wait_for(lambda: namespace.api.log(namespace.name, name), "its trap to be set")
    process.say_out_of_memory()
    process.send(signal.SIGUSR1)
    pod, end = ended(namespace, "odd")
    assert (end["exitCode"], end["reason"], pod["status"]["phase"]) == (0, "OOMKilled", "Succeeded")
    assert namespace.finished("odd")[0] == "Complete"


def test_the_end_of_the_first_process_is_the_end_of_all(namespace: Namespace, node: Node) -> None:
    namespace.create(a_job("parent", a_script("(setsid sleep 300 &) ; while [ ! -e /tmp/go ]; do sleep 0.05; done")))
    process = node.pod(namespace.name, namespace.running("parent"))
    wait_for(lambda: len(process.pids()) >= 2, "the child")
    process.send(signal.SIGKILL)
    ended(namespace, "parent")
    assert process.pids() == []


@pytest.mark.parametrize(
    ("script", "policy", "message"),
    [
        ("echo said > /dev/termination-log; echo printed; exit 1", "FallbackToLogsOnError", "said\n"),
        ("echo printed; exit 1", "FallbackToLogsOnError", "printed\n"),
        ("echo printed; exit 0", "FallbackToLogsOnError", None),
        ("echo printed; exit 1", "File", None),
    ],
)
def test_the_termination_message(
    namespace: Namespace, node: Node, script: str, policy: str, message: str | None
) -> None:
    namespace.create(a_job("last-words", a_script(script, fields={"terminationMessagePolicy": policy})))
    _, end = ended(namespace, "last-words")
    assert end.get("message") == message


def test_a_long_termination_message_is_cut(namespace: Namespace, node: Node) -> None:
    namespace.create(
        a_job("talker", a_script("yes x | head -c 9000 > /dev/termination-log; echo end >> /dev/termination-log"))
    )
    _, end = ended(namespace, "talker")
    assert len(end["message"]) == 4096
    assert end["message"].endswith("end\n")


def test_nobody_has_room(namespace: Namespace) -> None:
    namespace.create(a_job("homeless", a_script("exit 0")))
    pod = namespace.pod("homeless", lambda pod: condition_of(pod, "PodScheduled") is not None)
    scheduled = condition_of(pod, "PodScheduled")
    assert scheduled is not None
    assert (scheduled["status"], scheduled["reason"]) == ("False", "Unschedulable")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"restartPolicy": "Always"}, "this node restarts nothing: restartPolicy has to be Never"),
        ({"activeDeadlineSeconds": 5}, "this node has no activeDeadlineSeconds"),
    ],
)
def test_what_is_not_imitated_is_refused(namespace: Namespace, node: Node, spec: Json, words: str) -> None:
    namespace.create(a_pod("strange", a_script("exit 0", **spec)))
    wait_for(lambda: _state(namespace.get("pods", "strange")).get("waiting", {}).get("message") == words, "a word")
