#!/usr/bin/env bash
# What is checked before a version is released; run it in a fresh clone. Usage: deploy/release.sh 0.2.0
set -euo pipefail
cd "$(dirname "$0")/.."
version=${1:?which version?}
say() { printf '\n== %s\n' "$*"; }

say "The version is the same everywhere"
grep --quiet "^version = \"$version\"" pyproject.toml
grep --quiet "^## $version" CHANGELOG.md
grep --quiet "image: r1-kb:$version" deploy/compose.yaml
grep --quiet "image: r1-kb:$version" deploy/kubernetes/stateful-set.yaml
test -z "$(git status --porcelain)"

say "The lock is that of these dependencies"
make lock
git diff --exit-code --stat deploy/requirements.txt

say "Every check and every test"
make test

say "Licences"
.venv/bin/python deploy/licences.py

say "Known weaknesses of the versions that were tried together"
python3 -m venv build/audit
build/audit/bin/pip install --quiet pip-audit
build/audit/bin/pip-audit --no-deps --disable-pip --requirement constraints.txt

say "A wheel, in an empty environment"
.venv/bin/pip wheel --quiet --no-deps --wheel-dir dist .
python3 -m venv build/empty
build/empty/bin/pip install --quiet --require-hashes --requirement deploy/requirements.txt
build/empty/bin/pip install --quiet --no-deps "dist/r1_kb-$version-py3-none-any.whl"
build/empty/bin/pip check
(cd / && "$OLDPWD/build/empty/bin/kb" --version && "$OLDPWD/build/empty/bin/kb" doctor)

say "Tag it: git tag --annotate v$version"
