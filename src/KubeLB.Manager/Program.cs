using KubeLB.Manager.CommandLine;
using KubeLB.Manager.Hosting;
using KubeLB.Runtime.CommandLine;
using KubeLB.Runtime.Connections;

var command = new ManagerCommand();
return await ControllerProgram.RunAsync(command.Build(), args, parsed =>
{
    var options = command.Options(parsed);
    var management = Kubeconfig.Connect(options.Kubeconfig, "kubelb-manager");
    return ManagerHost.Build(options, () => management);
});
