#!/usr/bin/env python3
"""What `xtask bench` measures trainyard against, made ready: ParallelCluster's dry run and schema, and envsubst.

    bench_peers.py DIR

DIR is a folder of `trainyard plan --out`. Serves the emulator on loopback, seeded with all that the plan names, and
prints one JSON line: {"environment": {...}, "peers": {NAME: [ARGUMENT, ...]}}. Ends when its standard input closes.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import emulator  # noqa: E402
from judging.folder import Texts, read  # noqa: E402

SCHEMA = """
import sys, yaml
from pcluster.schemas.cluster_schema import ClusterSchema
ClusterSchema(cluster_name="bench").load(yaml.safe_load(open(sys.argv[1])))
"""


def deployed(folder_path: Path) -> str:
    """The configuration, with every stack deployed and every id real."""
    from judging.expects import Surroundings
    from judging.stacks import Stacks

    folder, texts = read(folder_path), Texts()
    emulator.reset()
    surroundings, stacks = Surroundings(folder, texts), Stacks(folder, texts)
    problems = surroundings.expect(folder.expects)
    for step in folder.deployments:
        problems += stacks.deploy(folder, step).findings
        problems += surroundings.catch_up()
    surroundings.everything_is_deployed = True
    problems += surroundings.catch_up()
    text, missing = stacks.texts.resolved(folder.text("pcluster.yaml"))
    if problems or missing:
        raise SystemExit(f"the emulator was not seeded: {problems} {missing}")
    return text


# How often the sample system's file of variables asks the aws CLI for a stack's output while it is sourced.
QUESTIONS = 11


def envsubst(work: Path, text: str, stack: str, aws: str | None) -> list[str]:
    """The sample system's way: a file of exported variables, sourced, and envsubst over a template.

    With `aws`, the file also asks for stack outputs, as that system's does; without, only the substitution is left.
    """
    lines, exports = [], []
    for number, line in enumerate(text.splitlines()):
        key, colon, value = line.partition(": ")
        if colon and value and not value.startswith(("'", '"')):
            exports.append(f"export SETTING_{number}={json.dumps(value)}")
            line = f"{key}: ${{SETTING_{number}}}"
        lines.append(line)
    if aws:
        question = f"{aws} cloudformation describe-stacks --stack-name {stack} --query Stacks[0].StackName --output text"
        exports += [f'export ANSWER_{number}="$({question})"' for number in range(QUESTIONS)]
    variables = work / ("asking.sh" if aws else "variables.sh")
    variables.write_text("\n".join(exports) + "\n")
    (work / "template.yaml").write_text("\n".join(lines) + "\n")
    script = f". {variables} && envsubst <{work}/template.yaml >{work}/rendered.yaml"
    return ["bash", "-c", script]


def serve() -> str:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def main() -> None:
    import logging
    import warnings

    warnings.filterwarnings("ignore")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    emulator.install()
    plan = Path(sys.argv[1])
    text = deployed(plan)
    region = read(plan).region
    programs = Path(sys.executable).parent
    with tempfile.TemporaryDirectory(prefix="trainyard-bench-") as folder:
        work = Path(folder)
        configuration = work / "pcluster.yaml"
        configuration.write_text(text)
        environment = {
            "AWS_ENDPOINT_URL": serve(), "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region, "AWS_EC2_METADATA_DISABLED": "true", "HOME": folder,
            "PATH": f"{programs}:{os.environ['PATH']}",
        }  # fmt: skip
        dry_run = ["pcluster", "create-cluster", "--dryrun", "true", "-n", "bench", "-c", str(configuration)]
        peers = {
            "pcluster create-cluster --dryrun": [str(programs / dry_run[0]), *dry_run[1:]],
            "its schema alone": [sys.executable, "-c", SCHEMA, str(configuration)],
            "envsubst, nothing asked": envsubst(work, text, "", None),
        }
        if aws := os.environ.get("AWS_CLI"):
            stack = read(plan).deployments[0].stack_name
            peers["variables of 11 answers, envsubst"] = envsubst(work, text, stack, aws)
        print(json.dumps({"environment": environment, "peers": peers}), flush=True)
        while sys.stdin.buffer.read(4096):
            pass
    os._exit(0)


if __name__ == "__main__":
    main()
