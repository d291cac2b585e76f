using KubeLB.Api.EnvoyGateway;

namespace KubeLB.Translation.EnvoyGateway.Retries;

/// <summary>What the retry annotations of a tenant's route come to.</summary>
/// <param name="Policy">The policy for the generated route; null if there is a problem.</param>
/// <param name="Problem">What is wrong with the annotations, and what is allowed; null if nothing is.</param>
public sealed record RetryPlan(BackendTrafficPolicy? Policy, string? Problem);
