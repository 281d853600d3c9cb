"""A pytest plugin for CI (-p tests.no_skips): a test that was skipped was not run, so the session fails."""

import pytest


def _skipped(config: pytest.Config) -> list[pytest.TestReport | pytest.CollectReport]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    found: list[pytest.TestReport | pytest.CollectReport] = reporter.stats.get("skipped", []) if reporter else []
    return found


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if _skipped(session.config) and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if skipped := _skipped(config):
        terminalreporter.section("skipped, which fails here", red=True)
        for report in skipped:
            terminalreporter.line(report.nodeid)
