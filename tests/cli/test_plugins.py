"""``vmeet plugins``; its JSON and the plugins that are left out are tested with the registry."""


def test_the_list_has_names_titles_and_licences(run_vmeet):
    done = run_vmeet("plugins")
    assert done.returncode == 0
    assert done.stdout.startswith("builtin (vmeet-core ")
    assert "  frame_filters     brightness        Brightness (Apache-2.0)" in done.stdout


def test_a_provider_that_sends_media_away_says_so(run_vmeet, install_plugin, packages):
    install_plugin(
        "vmeet-far",
        """
        from vmeet_core.hookspecs import API, Provider, hookimpl
        class Far(Provider):
            api, name, title, licence, leaves_host = API, "far", "Far", "MIT", True
            def load(self, server_settings, host): raise AssertionError
        @hookimpl
        def register_denoisers(): return [Far()]
        """,
    )
    assert "Far (MIT, sends media to another machine)" in run_vmeet("plugins", packages=packages).stdout
