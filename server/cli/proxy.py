"""`unmask proxy`: the way out for workers on a network without one."""

from __future__ import annotations

import click

from server.settings import Settings


@click.command()
def proxy() -> None:
    """Fetch for workers that have no network: vets every address, as a worker does by itself otherwise.

    Set the same UNMASK_FETCH_PROXY_URL for the proxy, which listens there, and for its workers.

    \b
    UNMASK_FETCH_PROXY_URL=http://:$TOKEN@10.1.0.2:8009 unmask proxy
    """
    from server.fetch.address import networks
    from server.fetch.carry import Allowance
    from server.fetch.dial import Vetted
    from server.fetch.proxy import Address, Proxy

    settings = Settings.from_env()
    if not settings.fetch_proxy_url:
        raise click.UsageError("UNMASK_FETCH_PROXY_URL: set it to the address to listen on, http://:TOKEN@HOST:PORT.")
    address = Address.parse(settings.fetch_proxy_url)
    allowance = Allowance(settings.max_upload_bytes + settings.fetch_page_bytes, 1, settings.fetch_seconds)
    try:
        service = Proxy(address, Vetted(networks(settings.fetch_allow)), allowance)
    except OSError as error:
        raise click.ClickException(f"UNMASK_FETCH_PROXY_URL: cannot listen there: {error.strerror or error}.") from None
    click.echo(f"Vetting connections on {address.host}:{address.port}.", err=True)
    service.run()
