from tests.lute.execution.runs import runs

__all__ = ["runs"]
