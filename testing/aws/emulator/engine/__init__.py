"""A CloudFormation engine that behaves like the service where templates can tell the difference.

It evaluates a whole template, orders the resources by their references and DependsOn, makes each
through the emulator's own APIs, rolls back on failure and keeps every event. It replaces the engine
of the emulator underneath, which silently skips types it does not know.
"""
