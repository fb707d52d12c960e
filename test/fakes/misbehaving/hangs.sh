#!/bin/sh
# Says that it is there, and no more.
echo ready >&2
exec sleep 600
