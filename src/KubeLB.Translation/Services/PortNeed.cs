namespace KubeLB.Translation.Services;

/// <summary>A port of a generated Service that needs a port of the tenant's proxy.</summary>
/// <param name="Service">Name of the generated Service.</param>
/// <param name="Port">The Service's port.</param>
/// <param name="Protocol">TCP or UDP.</param>
public readonly record struct PortNeed(string Service, int Port, string Protocol);
