"""A task that reports on itself."""

import upwell
import upwell.report

env = upwell.TaskEnvironment("html_report")


@env.task(report=True)
async def train(epochs: int) -> float:
    loss = 1.0
    tab = upwell.report.get_tab("Losses")
    for epoch in range(epochs):
        loss /= 2
        tab.log(f"<p>epoch {epoch}: {loss}</p>")
        await upwell.report.replace.aio(f"<h1>{epoch + 1} of {epochs}</h1>")
        await upwell.report.flush.aio()
    return loss


@env.task(report=True)
def summarize(loss: float) -> str:
    upwell.report.log(f"<h1>loss {loss}</h1>", do_flush=True)
    return upwell.report.current_report().get_final_report()


@env.task
async def main() -> bool:
    loss = await train(3)
    return "<h1>loss 0.125</h1>" in await summarize.aio(loss)


if __name__ == "__main__":
    upwell.init_from_config()
    run = upwell.run(main)
    print(run.url)
    run.wait()
    print(run.outputs())
