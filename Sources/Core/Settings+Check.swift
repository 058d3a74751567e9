extension SettingsLoading {
    /// What only shows when the settings are seen together.
    mutating func checkTogether() {
        if (settings.tlsCertificate == nil) != (settings.tlsKey == nil) {
            problems.append("INFINITY_TLS_CERT and INFINITY_TLS_KEY must be set together")
        }
        if settings.httpPort == 0, settings.httpsPort == 0 {
            problems.append("INFINITY_HTTP_PORT and INFINITY_HTTPS_PORT are both 0: nothing would listen")
        }
        if settings.httpPort != 0, settings.httpPort == settings.httpsPort {
            problems.append("INFINITY_HTTP_PORT and INFINITY_HTTPS_PORT are both \(settings.httpPort)")
        }
        if settings.httpsRedirect, settings.httpsPort == 0, !settings.publicURL.isSecure {
            problems.append(
                "INFINITY_HTTPS_REDIRECT needs INFINITY_HTTPS_PORT or an https INFINITY_PUBLIC_URL")
        }
        if settings.metricsAccess == .token, settings.metricsToken == nil {
            problems.append("INFINITY_METRICS_ACCESS=token needs INFINITY_METRICS_TOKEN")
        }
        if settings.embedded == .off, settings.databaseURL == nil {
            problems.append("DATABASE_URL must be set, because INFINITY_EMBEDDED is off")
        }
        if settings.mode == .production { checkProduction() }
    }

    private mutating func checkProduction() {
        if settings.source(of: Settings.name(\.publicURL)) == .default {
            problems.append("INFINITY_PUBLIC_URL must be set in production, such as https://app.example.com")
        }
        if settings.secretKey == nil {
            problems.append(
                "INFINITY_SECRET_KEY must be set in production; make one with: echo k1:$(openssl rand -base64 32)"
            )
        }
        if settings.passwordPepper == nil {
            problems.append(
                "INFINITY_PASSWORD_PEPPER must be set in production; make one with: openssl rand -base64 32")
        }
        if settings.httpsPort > 0, settings.tlsCertificate == nil {
            problems.append("INFINITY_HTTPS_PORT needs INFINITY_TLS_CERT and INFINITY_TLS_KEY in production")
        }
        if settings.developmentOutbox {
            problems.append("INFINITY_DEV_OUTBOX shows every mail to everybody and is refused in production")
        }
    }
}
