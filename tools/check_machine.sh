#!/bin/sh
# Look before installing: a supported Python, a C++ compiler and its headers, room on the disk.
# Says in one line what is missing and how to get it; prints the Python to use on the last line.
# usage: check_machine.sh [PYTHON]      (looks for one itself where none is named)
missing=0
say() {
    echo "make: $*" >&2
    missing=1
}

supported() { # runs at all, and is 3.11 to 3.13
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

python=$1
if [ -z "$python" ]; then
    for candidate in python3.12 python3.11 python3.13 python3 python; do
        if supported "$candidate"; then python=$candidate && break; fi
    done
fi
if [ -z "$python" ] || ! supported "$python"; then
    say "needs Python 3.11, 3.12 or 3.13${python:+ (${python} is not)}: apt install python3.12 | brew install python@3.12 | conda create -n book python=3.12; then make PYTHON=python3.12"
else
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
        say "$python has no venv module: apt install python3-venv (or the one of its version, such as python3.12-venv)"
    "$python" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' ||
        say "$python has no headers (Python.h), which annoy and hnswlib are built with: apt install python3-dev (or such as python3.12-dev)"
fi

compiles() {
    for compiler in "${CXX:-c++}" g++ clang++; do
        "$compiler" --version >/dev/null 2>&1 && return 0
    done
    return 1
}
compiles || say "needs a C++ compiler for annoy and hnswlib: apt install build-essential | xcode-select --install | conda install cxx-compiler"

# The environment takes 3 GB with torch for the CPU, 8 GB with the CUDA libraries.
if [ ! -d .venv ]; then
    free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1048576) }')
    [ "$free" -ge 5 ] || say "needs 5 GB of free disk (10 GB with CUDA), found $free GB: free some, or use make TORCH=cpu"
fi

[ "$missing" -eq 0 ] && echo "$python"
