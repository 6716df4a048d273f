"""Holds a bill of materials against CycloneDX 1.5's own schema. Usage: validate_sbom.py FILE"""

import sys
from importlib.metadata import version

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

with open(sys.argv[1], encoding="utf-8") as file:
    error = JsonStrictValidator(SchemaVersion.V1_5).validate_str(file.read())
if error is not None:
    sys.exit(f"{sys.argv[1]} is not CycloneDX 1.5: {error}")
print(f"holds against CycloneDX 1.5's JSON schema (cyclonedx-python-lib {version('cyclonedx-python-lib')})")
